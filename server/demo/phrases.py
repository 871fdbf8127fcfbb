"""What people write into the orders of the invented city."""

from server.workorders.rules import Finding, Move, Record, Ruling

CONTESTS = (
    "答复和我反映的不是一回事，问题还在。",
    "昨天又去了一次，还是只开两个窗口，没有看到改进。",
    "只打了个电话说抱歉，材料还是没有退给我。",
    "说已经办结，系统里查到的仍然是办理中。",
    "解释的条款我看了，和我的情况不一样，请再核实。",
    "答复太笼统，没有说什么时候能办好。",
)
CONFIRMS = ("", "", "", "满意", "问题解决了，谢谢", "有人打电话来说明了情况，可以", "已经拿到证了")
ASKS = (
    "请问您当天大约几点、在哪个窗口办理？我们想调取当时的记录核实。",
    "您说的附件上传失败，页面上显示的提示是什么？方便的话请写下来。",
    "请问退回的是哪一份材料？我们好查是谁经手的。",
)
RESUMES = (
    "上午十点多，靠里面的那个窗口。",
    "提示说格式不支持，我传的就是 PDF。",
    "是租赁合同那一份。",
)
PLANS = (
    "涉及多个科室和系统改造，一时难以解决，已建立台账，明确责任人，按期完成。",
    "需要与协办部门统一材料标准，已建立台账，到期前形成新的清单。",
)
EXTENDS = ("系统供应商排期需要延后，已向群众说明。",)
RETURNS = ("该事项由该部门办理，本单位仅代为收件。", "所反映的窗口不属于本单位。")
REFUSES = ("事项在你单位权责清单之内，不同意退回，请继续办理。",)
SUPERVISES = (
    "现予督办：请重新核实，当面听取群众意见，并书面答复。",
    "现予督办：请说明原因并立即办理。",
)
DISMISSES = ("经第三方复核，属于误评，不予采纳，并通报同级政务服务管理机构；原评价保留备查。",)
MESSAGES = (
    "您好，您的反映已收到，我们正在调取当天的记录，核实后答复您。",
    "您好，窗口负责人想当面向您致歉，如方便请说明哪一天到大厅。",
    "您好，材料清单已经改好，您看看是否还有不清楚的地方。",
)
REPLIES = (
    "周四上午我可以来，请不要再让我排队。",
    "清单看到了，第三项还是没有写要原件还是复印件。",
    "好的，等你们的结果。",
)
ABUSES = ("你们就是一帮混账东西，都该滚蛋。",)
FLAG_REASON = "辱骂工作人员，与所反映的事项无关"
PARTS = (
    "本单位负责的联审环节已在一个工作日内办结，记录附后。",
    "本单位窗口已按统一清单收件，不再另外索要证明。",
)
URGES = ("已临近或超过期限，请当天联系群众并说明办理进度。",)
TAKEOVERS = ("久拖不决，提级由督办员牵头办理。",)
RELEASES = ("该部门不涉及这一环节，免除协办。",)
CALLS = (("已联系上群众，群众表示满意", True), ("群众说问题还没有完全解决，希望尽快", False))
RECALLED_NO = "窗口人员当场看着我点的满意，其实等了一上午。"

WORDS: dict[Move | Record, tuple[str, ...]] = {
    Move.CONTEST: CONTESTS, Move.CONFIRM: CONFIRMS, Move.ASK: ASKS, Move.RESUME: RESUMES,
    Move.PLAN: PLANS, Move.EXTEND: EXTENDS, Move.RETURN: RETURNS, Move.REFUSE: REFUSES,
    Move.SUPERVISE: SUPERVISES, Move.DISMISS: DISMISSES, Record.MESSAGE: MESSAGES,
    Record.PART: PARTS, Record.URGE: URGES, Record.TAKEOVER: TAKEOVERS, Record.RELEASE: RELEASES,
}  # fmt: skip
RULINGS = {
    Ruling.PROPER: "部门已按规定办理并充分说明，予以办结。",
    Ruling.ACCOUNTABLE: "情况属实，责令整改，并在全市通报。",
}
FINDINGS = {
    Finding.TRUE: ("查阅记录", "叫号记录和监控与群众所说一致。"),
    Finding.PARTLY: ("电话了解", "等候时间属实，退件原因另有说明。"),
    Finding.UNTRUE: ("查阅记录", "当天该窗口没有办理过这类业务。"),
}
FOLLOWED = "已约谈部门负责人，责任人作出书面检查；窗口已整改，一个月后复查。"
