"""What people write into the orders of the invented city."""

from server.workorders.rules import Move

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
    "涉及多个科室和系统改造，一时难以解决，已建立台账，明确责任人，月底前完成。",
    "需要与协办部门统一材料标准，已建立台账，两周内形成新的清单。",
)
EXTENDS = ("系统供应商排期需要延后，申请延期三个工作日，已向群众说明。",)
RETURNS = (
    "该事项由其他部门办理，本单位仅代为收件，申请改派。",
    "所反映的窗口不属于本单位，申请退回。",
)
REASSIGNS = ("经核对权责清单，改派给实际承办部门。",)
REFUSES = ("事项在你单位权责清单之内，不同意退回，请继续办理。",)
SUPERVISES = (
    "群众对答复不认可，现予督办：三个工作日内重新核实并书面答复。",
    "已超过办理期限，现予督办，请说明原因并立即办理。",
)
RULES = (
    "认定：处置得当。部门已按规定办理并充分说明，予以办结。",
    "认定：情况属实，应予追责。责令整改，并在全市通报。",
)
DISMISSES = ("经第三方复核，属于误评，不予采纳，并通报同级政务服务管理机构；原评价保留备查。",)
MERGES = ("与工单 {into} 反映同一问题，合并办理。",)

WORDS: dict[Move, tuple[str, ...]] = {
    Move.CONTEST: CONTESTS, Move.CONFIRM: CONFIRMS, Move.ASK: ASKS, Move.RESUME: RESUMES,
    Move.PLAN: PLANS, Move.EXTEND: EXTENDS, Move.RETURN: RETURNS, Move.REASSIGN: REASSIGNS,
    Move.REFUSE: REFUSES, Move.SUPERVISE: SUPERVISES, Move.RULE: RULES, Move.DISMISS: DISMISSES,
    Move.MERGE: MERGES,
}  # fmt: skip
