"""The world as given: regions, agencies, halls, windows, officers, matters, tags, policies, calendars."""

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint
from tortoise.models import Model


class Region(Model):
    """行政区划, 12 digits."""

    code = fields.CharField(max_length=12, primary_key=True)
    name = fields.CharField(max_length=100)
    parent_code = fields.CharField(max_length=12, null=True)

    class Meta:
        table = "regions"


class Policy(Model):
    """What differs between regions; a region without its own follows its nearest ancestor."""

    region_code = fields.CharField(max_length=12, primary_key=True)
    review_days = fields.SmallIntField(default=7)
    undo_minutes = fields.SmallIntField(default=10)
    contact_days = fields.SmallIntField(default=1)
    simple_days = fields.SmallIntField(default=5)
    complex_days = fields.SmallIntField(default=15)
    callback_days = fields.SmallIntField(default=5)
    extension_days = fields.SmallIntField(default=10)
    """The longest extension; there is one."""
    ask_days = fields.SmallIntField(default=5)
    """How long the clock may stand still for the citizen, over the whole order."""
    ruling_days = fields.SmallIntField(default=1)
    supervise_days = fields.SmallIntField(default=5)
    warn_days = fields.SmallIntField(default=1)
    """Working days before a due time at which its owner is warned."""
    climb_days = fields.SmallIntField(default=1)
    """Working days from one rung of the escalation to the next."""
    silence_days = fields.SmallIntField(default=7)
    sample_permille = fields.SmallIntField(default=10)
    """Of satisfied reviews, drawn at random for a call-back."""
    repeat_bad = fields.SmallIntField(default=3)
    """Bad reviews of one officer in `repeat_days` that put him on the accountability list; 0: none."""
    repeat_days = fields.SmallIntField(default=90)
    appeal_days = fields.SmallIntField(default=5)
    """Working days in which the reviewed side may appeal, from when it saw the order."""
    adjudicate_days = fields.SmallIntField(default=10)
    """Working days in which an appeal is ruled."""
    statement_days = fields.SmallIntField(default=3)
    """Working days that the citizen has for his statement; before them nothing is ruled without it."""
    refused_days = fields.SmallIntField(default=1)
    """办不成事, 不给办; with the two below the “1、3、5” (working days)."""
    cannot_days = fields.SmallIntField(default=3)
    """不能办: the reason is told."""
    hard_days = fields.SmallIntField(default=5)
    """很难办."""
    objection_days = fields.SmallIntField(default=30)
    """How long after the review window the phone's owner may still say “不是我评的”; natural days."""
    quick_seconds = fields.SmallIntField(default=10)
    """Rated so soon after the receipt was issued, nobody has read it. 0 puts a rule to rest."""
    quick_many = fields.SmallIntField(default=8)
    """Slips of one window rated within twice those seconds, in `same_days`: a habit."""
    same_device = fields.SmallIntField(default=10)
    """Visits to one agency rated from one device in `same_days`, or half as many in a day; so with
    phone and person."""
    same_phone = fields.SmallIntField(default=10)
    same_person = fields.SmallIntField(default=10)
    same_days = fields.SmallIntField(default=30)
    burst_count = fields.SmallIntField(default=8)
    """Ratings at one window within `burst_minutes`."""
    burst_minutes = fields.SmallIntField(default=10)
    same_words = fields.SmallIntField(default=5)
    """Ratings of one window with the same sentence in `same_days`."""
    undone_bad = fields.SmallIntField(default=3)
    """Bad reviews at one window that became better ones after an undo, in `same_days`."""
    insider = fields.SmallIntField(default=1)
    """Ratings of his own agency by a phone or WeChat of its staff."""
    voided_days = fields.SmallIntField(default=30)
    """A void asked for within so many days after a bad review."""
    reissued_hours = fields.SmallIntField(default=24)
    """Another receipt of the case within so many hours after a bad review, rated better."""
    trace_days = fields.SmallIntField(default=90)
    """How long is kept by what a rater could be known again; natural days."""
    default_rating = fields.BooleanField(default=False)
    late_days = fields.SmallIntField(default=30)
    """How long a real review may still replace a default one; natural days."""
    sms = fields.BooleanField(default=True)
    sms_sign = fields.CharField(max_length=20, default="政务服务")
    wording = fields.SmallIntField(default=1)
    """Which of the wordings: a template that invites a rating can be refused at approval."""
    invite_minutes = fields.SmallIntField(default=30)
    hour_from = fields.SmallIntField(default=9)
    hour_to = fields.SmallIntField(default=20)
    remind_hours = fields.SmallIntField(default=48)
    """After the first notice; 0: no reminder."""
    daily_messages = fields.SmallIntField(default=3)
    """To one phone, over all agencies."""
    tell_accepted = fields.BooleanField(default=True)
    """A text message when his order is accepted, if the day has room for it and for the answer."""
    question_hours = fields.SmallIntField(default=24)
    reason_hours = fields.SmallIntField(default=24)
    thank = fields.BooleanField(default=False)
    message_days = fields.SmallIntField(default=90)
    """How long phones and words of messages are kept."""
    message_price = fields.SmallIntField(default=45)
    """Of one part, in 厘 (0.001 yuan), for the console's sums."""

    class Meta:
        table = "policies"


class Agency(Model):
    """部门 with its 统一社会信用代码 (18 characters)."""

    code = fields.CharField(max_length=18, primary_key=True)
    name = fields.CharField(max_length=100)
    region_code = fields.CharField(max_length=12, db_index=True)
    parent_code = fields.CharField(max_length=18, null=True)
    active = fields.BooleanField(default=True)

    class Meta:
        table = "agencies"


class Hall(Model):
    """政务服务大厅、便民服务中心. Its desk answers for matters that have no agency."""

    code = fields.CharField(max_length=32, primary_key=True)
    name = fields.CharField(max_length=100)
    region_code = fields.CharField(max_length=12)
    desk_agency_code = fields.CharField(max_length=18)
    address = fields.CharField(max_length=200, default="")
    active = fields.BooleanField(default=True)

    class Meta:
        table = "halls"


class Window(Model):
    id = fields.IntField(primary_key=True)
    code = fields.CharField(max_length=32)
    hall_code = fields.CharField(max_length=32)
    agency_code = fields.CharField(max_length=18)
    name = fields.CharField(max_length=100)
    active = fields.BooleanField(default=True)

    class Meta:
        table = "windows"
        constraints = (
            UniqueConstraint(fields=("agency_code", "code"), name="one_window_code_per_agency"),
            UniqueConstraint(
                fields=("hall_code", "code"), name="one_window_code_per_hall", condition="active"
            ),
        )


class Officer(Model):
    """经办人员: a person who handles cases, whether or not he may sign in here."""

    id = fields.IntField(primary_key=True)
    number = fields.CharField(max_length=32)
    agency_code = fields.CharField(max_length=18)
    name = fields.CharField(max_length=50)
    active = fields.BooleanField(default=True)

    class Meta:
        table = "officers"
        constraints = (
            UniqueConstraint(
                fields=("agency_code", "number"), name="one_officer_number_per_agency"
            ),
        )


class Questionnaire(Model):
    """Four closed questions and an open one, offered after a rating (N21). A code that has no row is
    one of the shipped ones (data/questionnaires.csv)."""

    code = fields.CharField(max_length=32, primary_key=True)
    question_1 = fields.CharField(max_length=60)
    question_2 = fields.CharField(max_length=60)
    question_3 = fields.CharField(max_length=60)
    question_4 = fields.CharField(max_length=60)
    open_question = fields.CharField(max_length=60)

    class Meta:
        table = "questionnaires"


class Matter(Model):
    """政务服务事项: 实施编码 (31) or 业务办理项编码 (33); lead and co-handling agencies."""

    code = fields.CharField(max_length=33, primary_key=True)
    name = fields.CharField(max_length=200)
    kind = fields.CharField(max_length=20, default="")
    legal_basis = fields.CharField(max_length=500, default="")
    agency_code = fields.CharField(max_length=18, null=True)
    co_agency_codes: fields.Field[list[str]] = ArrayField("text", default=list)
    channels: fields.Field[list[str]] = ArrayField("text", default=list)
    """评价渠道, an element that the guide of a matter must name (N11)."""
    questionnaire = fields.CharField(max_length=32, default="")
    """The one that is offered after a rating; empty: nothing more is asked."""
    active = fields.BooleanField(default=True)

    class Meta:
        table = "matters"


class Tag(Model):
    """One entry of a versioned dictionary of reasons; local dictionaries are never reported upward."""

    id = fields.IntField(primary_key=True)
    dictionary = fields.CharField(max_length=32, default="national")
    version = fields.SmallIntField(default=2)
    code = fields.CharField(max_length=8)
    level = fields.SmallIntField()
    text = fields.CharField(max_length=60)
    primary = fields.BooleanField(default=False)
    active = fields.BooleanField(default=True)

    class Meta:
        table = "tags"
        constraints = (
            UniqueConstraint(fields=("dictionary", "version", "code"), name="one_tag_per_code"),
            CheckConstraint(check="level BETWEEN 1 AND 5", name="tag_level_is_1_to_5"),
        )


class Wording(Model):
    """The text of a message as the provider approved it. A region without its own follows its nearest
    ancestor, then the shipped ones (data/wordings.csv)."""

    id = fields.IntField(primary_key=True)
    region_code = fields.CharField(max_length=12)
    purpose = fields.CharField(max_length=16)
    variant = fields.SmallIntField()
    template_code = fields.CharField(max_length=32, default="")
    """The provider's, once it is approved; without one nothing can be sent over a real gateway."""
    text = fields.CharField(max_length=500)

    class Meta:
        table = "wordings"
        constraints = (
            UniqueConstraint(
                fields=("region_code", "purpose", "variant"), name="one_wording_per_purpose"
            ),
        )


class CalendarYear(Model):
    """A year's 法定节假日 and 调休 as they were imported; the newest version counts."""

    id = fields.IntField(primary_key=True)
    year = fields.SmallIntField()
    version = fields.SmallIntField()
    document = fields.TextField()
    source = fields.CharField(max_length=300, default="")
    loaded_by = fields.CharField(max_length=64, default="")
    loaded_at = fields.DatetimeField()

    class Meta:
        table = "calendar_years"
        constraints = (
            UniqueConstraint(fields=("year", "version"), name="one_calendar_per_version"),
        )
