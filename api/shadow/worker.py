"""The process of shadow mode: ``python -m api.shadow.worker PARENT NOTE``, started by the service and gone with it.

It scores what comes after the note of that number. It has the least priority of the system and an interpreter of its
own, so that it never holds up a live answer.
"""

from __future__ import annotations

import logging
import os
import sys
import time

from sqlalchemy.exc import SQLAlchemyError

from api.settings import ApiSettings
from api.shadow.scoring import first_note, score_waiting
from api.store.database import Database
from codeassist.assistant import load
from codeassist.errors import CodeassistError
from codeassist.settings import read_settings

LOOK_SECONDS = 1.0
"""How long it sleeps when there is nothing to score."""
PAUSE_SECONDS = 5.0
"""How long it leaves the database alone after an error."""
log = logging.getLogger("codeassist.shadow")


def main() -> int:
    """Score notes until the parent is gone; 1 when the candidate release can't be loaded."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    os.nice(19)
    parent = int(sys.argv[1])
    settings = read_settings(ApiSettings)
    if settings.shadow_model is None:
        return 0
    try:
        database = Database(settings.database_url)
        assistant = load(settings.shadow_model)
        with database.reading() as session:
            after = first_note(session, assistant.model.sha256, int(sys.argv[2]))
    except (CodeassistError, SQLAlchemyError) as error:
        log.error("nothing is scored in shadow: %s", error if isinstance(error, CodeassistError) else type(error))
        return 1
    log.info("in shadow: %s %s (%s)", assistant.model.name, assistant.model.version, assistant.model.sha256[:12])
    while os.getppid() == parent:
        try:
            busy = score_waiting(database, assistant, after, settings.shadow_queue)
        except SQLAlchemyError as error:
            log.warning("shadow: the database can't be used now: %s", type(error).__name__)
            time.sleep(PAUSE_SECONDS)
            continue
        if not busy:
            time.sleep(LOOK_SECONDS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
