"""The look of the report page; it stands in the page itself, so that one folder holds all."""

from __future__ import annotations

STYLE = """
:root { --ink: #1b2428; --dim: #5d6b70; --line: #dbe2e4; --pale: #f4f7f7; --accent: #1f6feb; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1180px; padding: 28px 24px 60px; color: var(--ink); background: #fff;
  font: 15px/1.5 "Noto Sans SC", "PingFang SC", "Microsoft YaHei", "Droid Sans Fallback", system-ui, sans-serif; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 20px; margin: 40px 0 8px; padding-top: 14px;
  border-top: 2px solid var(--ink); } h3 { font-size: 16px; margin: 24px 0 8px; }
p { margin: 6px 0; max-width: 78ch; } .dim, small { color: var(--dim); } nav a { margin-right: 16px; }
a { color: var(--accent); } .wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 6px 0 10px; }
th, td { padding: 4px 10px; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th { font-weight: 600; background: var(--pale); } .first td { border-top: 1px solid var(--dim); }
:is(td, th):nth-child(-n+2) { text-align: left; } .faint td:not(:first-child) { color: #9aa5a9; }
.faint small { color: inherit; }
.two td small { display: block; line-height: 1.2; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(250px, 1fr)); gap: 14px 20px; }
figure { margin: 0; } figcaption { font-size: 13px; line-height: 1.35; } figcaption b { font-weight: 600; }
svg { width: 100%; max-width: 300px; display: block; } svg text { font: 10px system-ui, sans-serif; fill: var(--dim); }
svg .grid { stroke: var(--line); } svg .mark { stroke: var(--ink); stroke-dasharray: 4 3; }
svg polyline { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.key span { display: inline-block; margin-right: 16px; } .key i { display: inline-block; width: 18px; height: 3px;
  margin-right: 6px; vertical-align: middle; }
.confusion td { min-width: 62px; } .confusion span { display: block; padding: 0 4px; }
 .confusion :is(td, th):nth-child(2) { text-align: right; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(280px, 1fr)); gap: 14px; }
.gallery img { width: 100%; aspect-ratio: 4/3; object-fit: contain; background: #e9eded; display: block; }
@media print { body { max-width: none; } figure { break-inside: avoid; } }
"""
