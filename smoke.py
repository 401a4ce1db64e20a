import codeassist
from datetime import date
from training.audited import read_audited
from pathlib import Path
a=codeassist.load()
for n in list(read_audited(Path('training/notes/evaluation')))[:12]: a.suggest(n.note)
print("ok", codeassist.__file__)
