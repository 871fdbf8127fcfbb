// Made by tests/mpweb/words.py from the words of the web page. Do not edit.

export const words = {
  "again": "重新评价",
  "again_once": "您可以重新评一次；重新评的不能再撤回。",
  "agency": "部门",
  "anonymous": "匿名",
  "anonymous_means": "匿名：部门只看到事项、窗口、日期、原因和隐去个人信息的话，看不到您是谁",
  "ask_level": "您满意吗？",
  "ask_name": "匿名还是实名？",
  "ask_reason": "请选择原因，或在下面写下原因，至少一个：",
  "ask_verdict": "对答复满意吗？",
  "asked_you": "部门在等您补充说明，才好继续办。",
  "bad_first": "评价成为工单，派给责任部门，限期答复",
  "bad_second": "凭查询编码，随时看办到哪一步、最迟哪天",
  "bad_then": "差评会怎样",
  "bad_third": "对答复不满意，可以不认可，由上级督办",
  "becomes_order": "提交后会转成工单，由责任部门限期答复您。",
  "change": "返回修改",
  "closed": "这次服务的评价已经结束",
  "closed_else": "有意见仍然可以反映：到大厅的服务台，或拨打 12345。",
  "closed_over": "为止，现在不能再评了。",
  "closed_until": "可以评价的时间到",
  "comment": "想说的话（可不写，最多 500 字）",
  "compare": "请对照提交评价后显示的编码再输一次，共 16 位，由数字和字母组成。",
  "confirm": "请确认您的评价",
  "confirm_send": "确认提交",
  "content": "满意，可以办结",
  "day": "日期",
  "due": "答复期限",
  "excluded": "这条评价经核实不计入统计。",
  "free_until": "评不评价全凭自愿。窗口的人看不到是谁评的。可以评到",
  "home": "办完事，您说了算",
  "home_how": "在政务服务大厅或网上办完事，扫一扫回执上的二维码，就能评价这次服务。不用注册，不用安装，可以匿名。",
  "keep": "请截图，或抄在回执上。凭它可以查进度、撤回、对答复表态。编码不记名，丢了不能补发。",
  "large": "关怀模式",
  "level": "满意度",
  "look_up": "查询进度",
  "lost": "编码丢了不能补发：我们不登记编码是谁的。评价和工单仍会照常办理。",
  "matter": "事项",
  "may_reason": "原因（可不选）：",
  "may_supplement": "补充说明（只能补充一次）",
  "mistaken": "评错了？",
  "more_reasons": "更多原因",
  "name": "政务服务“好差评”",
  "not_content": "不满意，请上级督办",
  "not_mine": "如果您没有评过，请到大厅的服务台说明情况。",
  "order_made": "已转成工单",
  "order_number": "工单号",
  "overdue": "已超过答复期限",
  "person": "姓名（可不填）",
  "phone": "手机号",
  "phone_of_receipt": "用办事时留的手机号",
  "progress": "办理进度",
  "provisional": "（暂定，待放假安排公布）",
  "query_code": "查询编码",
  "query_code_help": "评价提交后显示的字母和数字。大小写、空格都不要紧，O 当作 0，I 和 L 当作 1。",
  "query_code_label": "查询编码（16 位）",
  "real_name": "实名",
  "real_name_means": "实名：专门核实的人登记理由后，可以看您的姓名、电话和办件",
  "reasons": "原因",
  "responsible": "责任部门",
  "review": "请评价这次服务",
  "reviewed": "这次服务已经评价过了",
  "reviewed_once": "每次服务只评一次。如果是您评的，可以用提交后拿到的查询编码，查看办理进度、撤回或补充。",
  "send_supplement": "提交补充",
  "standard": "标准模式",
  "steps": "每一步",
  "submit": "提交评价",
  "supplement": "补充",
  "suspended": "这条评价正在核实。",
  "thanks": "谢谢您的评价",
  "time": "时间",
  "too_late": "可以评价的时间已过，不能重新评了。",
  "track": "查询评价的办理进度",
  "undo": "撤回这次评价",
  "undo_until": "以前可以撤回，撤回后可以重新评一次。在那以前，部门看不到您的评价。",
  "undone": "评价已经撤回",
  "unseen": "部门没有看到它。",
  "verdict_comment": "想说的话（不满意时必填）",
  "verdict_reason": "不满意，请写下哪里没有解决",
  "voluntary": "评不评价全凭自愿，不影响您办事。",
  "way": "方式",
  "window": "窗口",
  "your_words": "您的话",
  "yours": "您的评价",
  "reason_required": "不满意的评价，请至少选择一个原因，或写下原因"
} as const

export const LEVELS = [
  {
    "level": 5,
    "name": "非常满意"
  },
  {
    "level": 4,
    "name": "满意"
  },
  {
    "level": 3,
    "name": "基本满意"
  },
  {
    "level": 2,
    "name": "不满意"
  },
  {
    "level": 1,
    "name": "非常不满意"
  }
] as const

export const STATES = {
  "assigned": "等待部门受理",
  "accepted": "办理中",
  "returned": "正在确定责任部门",
  "asking": "等您补充说明",
  "planned": "限期整改中",
  "answered": "已答复，等您确认",
  "contested": "您不认可，等待督办",
  "supervised": "督办中",
  "closed": "已办结",
  "dismissed": "不予采纳",
  "withdrawn": "已撤回",
  "merged": "已并入另一张工单"
} as const

export const REFUSALS = {
  "already_reviewed": "这次服务已经评价过了",
  "already_supplemented": "已经补充过一次了",
  "already_undone": "每次服务只能撤回一次评价",
  "blank_text": "请填写内容",
  "comment_too_long": "文字最多 500 字",
  "contact_required": "实名评价需要留下手机号",
  "illegal_move": "工单现在的状态不能这样处理",
  "invalid_phone": "手机号须是 11 位，或带国家码",
  "level_required": "请先选择您是否满意",
  "nothing_to_confirm": "现在没有等待您确认的答复",
  "reason_required": "请选择原因，或写下原因：不满意的评价需要至少一个",
  "review_closed": "评价时间已过",
  "supplement_too_early": "现在还可以撤回重评；过了撤回时间再补充",
  "tag_not_of_level": "所选的原因不属于这个满意程度",
  "too_large": "提交的内容过大",
  "too_many_requests": "请求过于频繁，请稍后再试",
  "unavailable": "系统暂时繁忙，请稍后再试；没有任何内容丢失",
  "undo_closed": "可以撤回的时间已过",
  "unknown_code": "没有找到这张回执",
  "unknown_query_code": "没有找到这个查询编码",
  "verdict_required": "请按“满意”或“不满意”"
} as const

export const ANSWERED = '责任部门已答复'
export const COMMENT_LIMIT = 500
export const QUERY_CODE_LENGTH = 16
