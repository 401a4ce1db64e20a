"""The families by name, in the order in which they run."""

from __future__ import annotations

from codeassist.rules.families.age import check_age
from codeassist.rules.families.combination import check_combination
from codeassist.rules.families.drg import check_drg, drg_editions
from codeassist.rules.families.edition import check_edition
from codeassist.rules.families.etiology import check_etiology
from codeassist.rules.families.excludes import check_excludes
from codeassist.rules.families.hcc import check_hcc, hcc_editions
from codeassist.rules.families.laterality import check_laterality
from codeassist.rules.families.ncci import check_ncci, ncci_editions
from codeassist.rules.families.necessity import check_necessity
from codeassist.rules.families.poa import check_poa
from codeassist.rules.families.position import check_position
from codeassist.rules.families.sequencing import check_sequencing
from codeassist.rules.families.sex import check_sex
from codeassist.rules.families.specificity import check_specificity
from codeassist.rules.families.uncertain import check_uncertain
from codeassist.rules.families.validity import check_validity
from codeassist.rules.family import Family

FAMILIES: dict[str, Family] = {
    f.name: f
    for f in (
        Family("edition", check_edition),
        Family("validity", check_validity),
        Family("age", check_age),
        Family("sex", check_sex),
        Family("position", check_position),
        Family("excludes", check_excludes),
        Family("etiology", check_etiology),
        Family("laterality", check_laterality),
        Family("specificity", check_specificity),
        Family("combination", check_combination),
        Family("uncertain", check_uncertain),
        Family("sequencing", check_sequencing),
        Family("poa", check_poa),
        Family("necessity", check_necessity),
        Family("ncci", check_ncci, ncci_editions),
        Family("drg", check_drg, drg_editions),
        Family("hcc", check_hcc, hcc_editions),
    )
}
