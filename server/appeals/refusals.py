"""Why something is not done, in words for who asked."""

from server.kit.errors import Conflict, Denied, Gone, Invalid, Missing


class NotAppealable(Conflict):
    code = "not_appealable"
    title = "这张工单不能申诉"


class AppealClosed(Gone):
    code = "appeal_closed"
    title = "申诉的期限已过"


class AlreadyAppealed(Conflict):
    code = "already_appealed"
    title = "这条评价已经申诉过，一条评价只能申诉一次"


class NoOpenAppeal(Conflict):
    code = "no_open_appeal"
    title = "现在没有可以撤回的申诉"


class UnknownAppeal(Missing):
    code = "unknown_appeal"
    title = "没有这件申诉"


class UnknownOfficer(Invalid):
    code = "unknown_officer"
    title = "目录中没有这个工号的经办人员"


class NotImpartial(Denied):
    code = "not_impartial"
    title = "您与这件申诉有关联，须回避"


class AppealEnded(Conflict):
    code = "appeal_ended"
    title = "这件申诉已经裁定或撤回"


class AlreadyVoted(Conflict):
    code = "already_voted"
    title = "您已经写过意见，不能再改"


class StatementPending(Conflict):
    code = "statement_pending"
    title = "群众还可以说明情况；要等他说明，或期限过后，才能裁定"


class NotCalledBack(Conflict):
    code = "not_called_back"
    title = "这是实名差评，要先回访群众，才能支持申诉"


class ReasonMismatch(Invalid):
    code = "reason_mismatch"
    title = "支持申诉，要选误评、恶意评价或不是本单位服务之一；其他情形不选原因"


class NotConfirming(Conflict):
    code = "not_confirming"
    title = "这件申诉没有在等督办员确认"


class NothingToState(Conflict):
    code = "nothing_to_state"
    title = "现在没有等您说明的事，或说明的期限已过"


class AlreadyStated(Conflict):
    code = "already_stated"
    title = "您已经说明过了，只能说明一次"


class NotExcluded(Conflict):
    code = "not_excluded"
    title = "您的评价没有被剔除，不用提出异议"


class AlreadyObjected(Conflict):
    code = "already_objected"
    title = "您已经提出过异议，只能提一次"


class ObjectionClosed(Gone):
    code = "objection_closed"
    title = "提出异议的期限已过"


class ReviewReplaced(Conflict):
    code = "review_replaced"
    title = "这次服务已经有了新的评价，旧的评价不能再恢复"


class AlreadyExcluded(Conflict):
    code = "already_excluded"
    title = "这条评价已经不计入了"
