"""What operators watch. Labels are routes and words of ours, never anything a caller sent."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

registry = CollectorRegistry()
requests = Counter(
    "haochaping_requests", "Requests answered", ["method", "route", "status"], registry=registry
)
seconds = Histogram(
    "haochaping_request_seconds", "Time to answer", ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5), registry=registry,
)  # fmt: skip
reviews = Counter("haochaping_reviews", "Reviews stored", ["level", "channel"], registry=registry)
grievances = Counter(
    "haochaping_grievances", "Grievances taken in through the other doors", ["source"],
    registry=registry,
)  # fmt: skip
defaults = Counter(
    "haochaping_default_ratings", "Receipts that nobody rated, on record as such by the policy",
    registry=registry,
)  # fmt: skip
limits_open = Counter(
    "haochaping_limits_open", "Requests let through because Redis did not answer", registry=registry
)
limited = Counter("haochaping_limited", "Requests refused by a limit", ["limit"], registry=registry)
starved = Counter(
    "haochaping_questions_starved", "Questions by SMS whose phone was never free in time", ["asking"],
    registry=registry,
)  # fmt: skip
messages = Counter(
    "haochaping_sms_messages", "Steps of messages by SMS", ["purpose", "outcome"], registry=registry
)
reports = Counter(
    "haochaping_sms_reports", "What the provider told of messages", ["result"], registry=registry
)
wechat = Counter(
    "haochaping_wechat_calls", "Calls of WeChat's API", ["call", "result"], registry=registry
)
grants = Counter(
    "haochaping_wechat_grants", "Answers to the question whether we may write by WeChat",
    ["news", "answer"], registry=registry,
)  # fmt: skip
notices = Counter(
    "haochaping_wechat_notices", "Steps of subscribe messages", ["news", "outcome"],
    registry=registry,
)  # fmt: skip
rungs = Counter(
    "haochaping_rungs", "Rungs that orders climbed after a due time", ["ladder", "rung"],
    registry=registry,
)  # fmt: skip
accountable = Counter(
    "haochaping_accountable", "Records of accountability", ["why"], registry=registry
)
closed_silently = Counter(
    "haochaping_closed_silently", "Orders closed without the citizen's word", ["told"],
    registry=registry,
)  # fmt: skip
calendar_missing = Gauge(
    "haochaping_calendar_missing", "1 if a calendar that is needed soon is not loaded",
    registry=registry,
)  # fmt: skip
jobs = Counter("haochaping_jobs", "Jobs run", ["job", "result"], registry=registry)


def exposition() -> bytes:
    return generate_latest(registry)
