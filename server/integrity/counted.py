"""Which ratings count: the one place for whoever makes figures of them. SQL over reviews `r` (pure)."""

from server.integrity.rules import OF_THE_OFFICE

_OFFICE = ", ".join(repr(str(rule)) for rule in sorted(OF_THE_OFFICE))
IN_FIGURES = "r.state IN ('standing', 'awaiting_reason')"
"""In every plain figure. A suspicion changes nothing here: what is suspected was given all the same, and
is neither hidden nor deleted."""
COUNTED = f"""{IN_FIGURES} AND NOT EXISTS (SELECT 1 FROM suspicions s
  WHERE s.review_id = r.id AND s.state IN ('open', 'proposed')
    AND NOT (r.level <= 2 AND s.rule IN ({_OFFICE})))"""  # noqa: S608
"""In rankings, and in whatever else sets people or offices side by side: also not suspected, or looked at
already. A confirmed one is excluded and so in no figure at all, unless the office was found to have done
wrong about it. A bad review is not kept out for what the office did about it: whoever voids its receipt
would have what he wanted until somebody looks."""
