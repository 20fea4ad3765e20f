// Counts the times down, draws the map's layers and passes clicks on. Loads nothing from outside.
(() => {
  const KIND_COLOURS = {
    illegal_parking: "#5fa8ff",
    exposed_garbage: "#c79bff",
    blocked_sidewalk: "#43d3c5",
    bin_overflow: "#ff94c2",
  };
  const ZONE_STYLES = {
    no_parking: { color: "#ff7b6b", weight: 1.5, dashArray: "4 3", fillOpacity: 0.16 },
    sidewalk: { color: "#43d3c5", weight: 1, fillOpacity: 0.12 },
    collection_point: { color: "#c79bff", weight: 1.5, fillOpacity: 0.22 },
    street: { color: "#71828a", weight: 0.75, fillOpacity: 0.1 },
  };
  const state = { map: null, base: null, orders: null, collection: null, selected: null, fitted: false };

  const words = () => JSON.parse(document.querySelector(".s721 .clock")?.dataset.words ?? "{}");
  const two = (number) => String(number).padStart(2, "0");

  function span(ms, word) {
    const total = Math.floor(Math.abs(ms) / 1000);
    const days = Math.floor(total / 86400);
    const clock = `${two(Math.floor(total / 3600) % 24)}:${two(Math.floor(total / 60) % 60)}`;
    return days > 0 ? `${days}${word.day} ${clock}` : `${clock}:${two(total % 60)}`;
  }

  function age(ms, word) {
    const minutes = Math.floor(ms / 60000);
    if (minutes < 1) return word.now;
    if (minutes < 60) return `${minutes} ${word.minutes}`;
    const hours = Math.floor(minutes / 60);
    return hours < 48 ? `${hours} ${word.hours}` : `${Math.floor(hours / 24)} ${word.days}`;
  }

  function setText(element, value) {
    if (element && element.textContent !== value) element.textContent = value;
  }

  function tick() {
    const now = Date.now();
    const word = words();
    for (const row of document.querySelectorAll(".s721 .row[data-due]")) {
      const due = Number(row.dataset.due);
      const tone = now >= due ? "red" : now >= Number(row.dataset.amber) ? "yellow" : "green";
      for (const name of ["green", "yellow", "red"]) row.classList.toggle(name, name === tone);
      setText(row.querySelector(".left b"), `${now >= due ? `${word.overdue} ` : ""}${span(due - now, word)}`);
      setText(row.querySelector(".left .age"), age(now - Number(row.dataset.filed), word));
    }
    const clock = document.querySelector(".s721 .clock");
    if (clock) {
      const zone = clock.dataset.zone;
      const at = new Date(now);
      setText(clock.querySelector("b"), at.toLocaleTimeString("zh-CN", { timeZone: zone, hour12: false }));
      const day = { timeZone: zone, month: "long", day: "numeric", weekday: "short" };
      setText(clock.querySelector("span"), at.toLocaleDateString("zh-CN", day));
    }
    const link = document.querySelector(".s721 .link");
    if (link) link.classList.toggle("lost", !(window.socket && window.socket.connected));
  }

  function choose(caseNo) {
    window.emitEvent("s721_choose", caseNo);
  }

  document.addEventListener("click", (event) => {
    const row = event.target.closest(".s721 .row[data-case]");
    if (row) choose(row.dataset.case);
  });
  document.addEventListener("keydown", (event) => {
    const row = event.target.closest(".s721 .row[data-case]");
    if (row && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      choose(row.dataset.case);
    }
  });
  // Load events do not bubble: only the capturing phase sees those of the evidence pictures.
  document.addEventListener(
    "load",
    (event) => {
      const drawing = event.target.parentElement?.querySelector("svg");
      if (event.target.matches?.(".s721 .shot img") && drawing) {
        drawing.setAttribute("viewBox", `0 0 ${event.target.naturalWidth} ${event.target.naturalHeight}`);
      }
    },
    true,
  );

  function label(lines) {
    const box = document.createElement("div");
    for (const line of lines) box.appendChild(document.createElement("div")).textContent = line;
    return box;
  }

  function fit() {
    const bounds = state.base?.getBounds();
    if (bounds?.isValid()) state.map.fitBounds(bounds, {
        paddingTopLeft: [8, 8],
        paddingBottomRight: [8, 52],
        animate: false,
      });
    else if (state.orders?.getBounds().isValid()) {
      state.map.fitBounds(state.orders.getBounds(), { padding: [40, 40], maxZoom: 18, animate: false });
    } else return;
    state.fitted = true;
  }

  async function drawBase() {
    const answers = await Promise.all(["/api/grid.geojson", "/api/zones.geojson"].map((url) => fetch(url)));
    const [grid, zones] = await Promise.all(answers.map((answer) => answer.json()));
    state.base = L.featureGroup().addTo(state.map);
    L.geoJSON(grid, {
      interactive: false,
      style: { color: "#39494f", weight: 1, fillColor: "#1a2529", fillOpacity: 0.55 },
      onEachFeature: (feature, layer) => {
        const tail = document.createElement("span");
        tail.textContent = String(feature.properties.code ?? "").slice(-3);
        layer.bindTooltip(tail, { permanent: true, direction: "center", className: "cell-name" });
      },
    }).addTo(state.base);
    L.geoJSON(zones, {
      interactive: false,
      style: (feature) => ZONE_STYLES[feature.properties.kind] ?? ZONE_STYLES.street,
    }).addTo(state.base);
    fit();
    drawOrders();
  }

  function marker(feature, latlng) {
    const isSelected = feature.id === state.selected;
    const properties = feature.properties;
    return L.circleMarker(latlng, {
      radius: isSelected ? 12 : 8,
      color: isSelected ? "#ffffff" : "#0d1416",
      weight: isSelected ? 3 : 2,
      fillColor: KIND_COLOURS[properties.kind] ?? "#e6ecea",
      fillOpacity: properties.is_gone ? 0.35 : 0.95,
    })
      .bindTooltip(label([`${properties.title_zh} · ${properties.title_en}`, feature.id]))
      .on("click", () => choose(feature.id));
  }

  function drawOrders() {
    if (!state.map || !state.collection) return;
    if (state.orders) state.orders.remove();
    state.orders = L.geoJSON(state.collection, { pointToLayer: marker }).addTo(state.map);
    state.orders.eachLayer((layer) => layer.feature.id === state.selected && layer.bringToFront());
    if (!state.fitted && state.base) fit();
  }

  window.s721 = {
    attach(map) {
      state.map = map;
      drawBase();
    },
    places(collection, selected) {
      state.collection = collection;
      state.selected = selected;
      drawOrders();
    },
  };
  setInterval(tick, 200);
  document.addEventListener("DOMContentLoaded", tick);
})();
