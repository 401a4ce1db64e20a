"""A site's own terms, headings, cues and codes, in a folder of its own: see ``docs/custom-parts.md``."""

from codeassist.site.applying import with_site
from codeassist.site.checking import SiteProblem, check_site
from codeassist.site.reading import Site, read_site

__all__ = ["Site", "SiteProblem", "check_site", "read_site", "with_site"]
