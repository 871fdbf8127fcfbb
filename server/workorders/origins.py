"""What an order came from, and what was chosen there, in words (pure)."""

CHOSEN_NAMES = {
    "correction": "纠错", "consultation": "咨询", "suggestion": "建议",
    "cannot": "不能办", "hard": "很难办", "refused": "不给办",
    "guide": "办事指南", "booking": "预约", "application": "申请", "query": "查询", "other": "其他功能",
}  # fmt: skip
"""What stands among the reasons of an order that rates nothing; the reasons of a review are tags."""
