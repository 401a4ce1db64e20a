"""Groups of sections, and words by which a plan shows that a problem is treated."""

from __future__ import annotations

from typing import Final

SECTION_GROUPS: Final = {
    "assessment": ("assessment", "assessment_plan", "diagnosis", "postoperative_diagnosis"),
    "admission": ("admission_diagnosis", "preoperative_diagnosis", "indication"),
    "plan": ("plan", "maintenance"),
    "story": ("hpi",),
    "complaint": ("chief_complaint",),
    "course": ("hospital_course", "consultations"),
    "past": ("past_history", "problem_list", "surgical_history"),
    "ros": ("ros",),
    "exam": ("exam", "vitals"),
    "results": ("results", "imaging", "comparison"),
    "medications": ("medications", "allergies", "immunizations"),
    "procedure": ("procedure", "operative_detail", "anesthesia"),
    "equipment": ("equipment",),
    "aside": ("family", "social", "instructions", "disposition", "signature"),
    "other": ("other",),
}
GROUP_NAMES: Final = tuple(SECTION_GROUPS)
GROUP_OF: Final = {kind: i for i, kinds in enumerate(SECTION_GROUPS.values()) for kind in kinds}
ASSESSMENT: Final = GROUP_NAMES.index("assessment")

TREATMENT_WORDS: Final = frozenset(
    "continue continued continues start started starting begin increase increased decrease decreased adjust titrate "
    "prescribe prescribed prescription refill refilled treat treated treatment therapy refer referred referral consult "
    "order ordered recommend recommended advise advised counsel counseled counselled discussed monitor monitoring "
    "recheck repeat follow manage managed controlled uncontrolled stable worsening improved improving given "
    "administered injection injected surgery repair antibiotics insulin taper discontinue switch add added "
    "schedule scheduled obtain check physical splint cast ice rest nsaid ibuprofen acetaminophen lisinopril metformin "
    "evaluate evaluated".split()
)
