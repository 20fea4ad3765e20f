"""Every word that operators see: Chinese first, English second, in one place."""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """One phrase in both languages."""

    zh: str
    en: str


TEXTS: dict[str, Text] = {
    "title": Text("街面案卷", "Street work orders"),
    "count.open": Text("在办", "Open"),
    "count.today": Text("今日立案", "Filed today"),
    "count.yellow": Text("临期", "Due soon"),
    "count.red": Text("超时", "Overdue"),
    "count.gone": Text("现场已消除", "Gone on site"),
    "list.empty": Text("暂无案卷,系统正在值守", "No work orders. The system is watching"),
    "column.matter": Text("事项", "Matter"),
    "column.case_no": Text("案号", "Case"),
    "column.cell": Text("单元网格", "Cell"),
    "column.department": Text("责任部门", "Department"),
    "column.state": Text("状态", "State"),
    "column.remaining": Text("剩余时限", "Time left"),
    "detail.none": Text("点选左侧案卷或地图点位", "Choose an order from the list or the map"),
    "detail.place": Text("位置", "Place"),
    "detail.due": Text("处置时限", "Due"),
    "detail.tier": Text("721 层级", "Tier"),
    "detail.assist": Text("协办", "Assisting"),
    "detail.external": Text("责任单位", "Responsible party"),
    "detail.confidence": Text("置信度", "Confidence"),
    "detail.source": Text("来源", "Source"),
    "detail.history": Text("办理经过", "History"),
    "detail.lead_only": Text("识别结果仅为线索,须经人工核实", "A detection is a lead, to be verified by a person"),
    "detail.no_picture": Text("传感器上报,无图像", "Reported by a sensor, no picture"),
    "detail.first": Text("首次", "First"),
    "detail.last": Text("最近", "Latest"),
    "detail.gone": Text("现场已消除", "Gone on site"),
    "detail.no_cell": Text("未匹配网格", "No cell"),
    "link.live": Text("实时", "Live"),
    "time.overdue": Text("超时", "over"),
    "time.day": Text("天", "d"),
    "time.now": Text("刚刚", "now"),
    "time.minutes": Text("分钟前", "min ago"),
    "time.hours": Text("小时前", "h ago"),
    "time.days": Text("天前", "d ago"),
    "kind.illegal_parking": Text("违规停车", "Illegal parking"),
    "kind.exposed_garbage": Text("暴露垃圾", "Exposed garbage"),
    "kind.blocked_sidewalk": Text("人行道受阻", "Blocked sidewalk"),
    "kind.bin_overflow": Text("垃圾箱满溢", "Bin overflow"),
    "state.reported": Text("已上报", "Reported"),
    "state.verifying": Text("核实中", "Verifying"),
    "state.filed": Text("已立案", "Filed"),
    "state.dispatched": Text("已派遣", "Dispatched"),
    "state.in_progress": Text("处置中", "In progress"),
    "state.suspended": Text("挂账", "Suspended"),
    "state.handled": Text("已反馈", "Handled"),
    "state.checking": Text("核查中", "Checking"),
    "state.closed": Text("已结案", "Closed"),
    "state.rejected": Text("不予立案", "Rejected"),
    "state.merged": Text("已合并", "Merged"),
    "state.void": Text("已作废", "Void"),
    "step.reported": Text("上报", "Reported"),
    "step.claimed": Text("受理", "Claimed"),
    "step.filed": Text("立案", "Filed"),
    "step.rejected": Text("不予立案", "Rejected"),
    "step.merged": Text("合并", "Merged"),
    "step.unmerged": Text("拆分", "Unmerged"),
    "step.dispatched": Text("派遣", "Dispatched"),
    "step.accepted": Text("接收", "Accepted"),
    "step.returned": Text("回退", "Returned"),
    "step.suspended": Text("挂账", "Suspended"),
    "step.resumed": Text("恢复", "Resumed"),
    "step.extended": Text("延期", "Extended"),
    "step.completed": Text("处置完成", "Completed"),
    "step.check_started": Text("开始核查", "Check started"),
    "step.check_failed": Text("核查未通过", "Check failed"),
    "step.closed": Text("结案", "Closed"),
    "step.force_closed": Text("强制结案", "Forced close"),
    "step.voided": Text("作废", "Voided"),
    "step.evaluated": Text("评价", "Evaluated"),
    "step.reopened": Text("重新立案", "Reopened"),
    "step.tier_raised": Text("层级上调", "Tier raised"),
    "step.overtime_appealed": Text("超时申诉", "Overtime appeal"),
    "step.updated": Text("仍然存在", "Still there"),
    "step.linked": Text("再次发现", "Seen again"),
    "step.trouble_gone": Text("现场消除", "Gone on site"),
    "tier.service": Text("服务", "Service"),
    "tier.management": Text("管理", "Management"),
    "tier.enforcement": Text("执法", "Enforcement"),
    "unit.minute": Text("分钟", "min"),
    "unit.urgent_hour": Text("紧急工作时", "hours around the clock"),
    "unit.work_hour": Text("工作时", "working hours"),
    "unit.work_day": Text("工作日", "working days"),
    "unit.natural_day": Text("自然日", "days"),
}


def text(key: str) -> Text:
    """Return a phrase; raises KeyError for an unknown key."""
    return TEXTS[key]


def both_plain(phrase: Text) -> str:
    """Return a phrase in both languages on one line."""
    return f"{phrase.zh} · {phrase.en}"
