"""Which ratings count: the one place for whoever makes figures of them. SQL over reviews `r` (pure)."""

IN_FIGURES = "r.state IN ('standing', 'awaiting_reason')"
"""In every plain figure. A suspicion changes nothing here: what is suspected was given all the same, and
is neither hidden nor deleted."""
COUNTED = f"""{IN_FIGURES} AND NOT EXISTS (SELECT 1 FROM suspicions s
  WHERE s.review_id = r.id AND s.state IN ('open', 'proposed'))"""  # noqa: S608
"""In rankings, and in whatever else sets people or offices side by side: also not suspected, or looked at
already. A confirmed one is excluded and so in no figure at all, unless the office was found to have done
wrong about it."""
