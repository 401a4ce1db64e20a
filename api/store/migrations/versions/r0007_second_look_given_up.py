"""A second look can be given up, and its review be looked at again by another auditor."""

from __future__ import annotations

import random

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLE = "second_looks"
CHILDREN = ("second_look_decisions", "differences", "second_look_codes")
STATES = "state IN ('open', 'submitted', 'answered', 'closed', 'abandoned')"


def upgrade() -> None:
    """One more state, and one second look at a review besides those that were given up."""
    if op.get_bind().dialect.name == "sqlite":
        _rebuild()
    else:
        _change()
    op.create_index(
        "uq_second_looks_review_id",
        TABLE,
        ["review_id"],
        unique=True,
        sqlite_where=sa.text("state <> 'abandoned'"),
        postgresql_where=sa.text("state <> 'abandoned'"),
    )
    _draw()


def _draw() -> None:
    """New lots in place of those that open second looks have used up."""
    connection = op.get_bind()
    looks = sa.table(TABLE, sa.column("id"), sa.column("state"), sa.column("lot"))
    for number in connection.scalars(sa.select(looks.c.id).where(looks.c.state == "open")).all():
        connection.execute(sa.update(looks).where(looks.c.id == number).values(lot=random.random()))


def _change() -> None:
    with op.batch_alter_table(TABLE) as batch:
        batch.add_column(sa.Column("lot", sa.Double))
        batch.drop_constraint("uq_second_looks_review_id", type_="unique")
        batch.drop_constraint(op.f("ck_second_looks_state"), type_="check")
        batch.create_check_constraint(op.f("ck_second_looks_state"), STATES)


def _rebuild() -> None:
    """SQLite changes constraints by making the table anew; while others refer to it that would remove their rows."""
    connection = op.get_bind()
    metadata = sa.MetaData()
    metadata.reflect(connection, only=(TABLE, *CHILDREN))
    for name in CHILDREN:
        connection.execute(sa.text(f"CREATE TEMPORARY TABLE kept_{name} AS SELECT * FROM {name}"))
        op.drop_table(name)
    _change()
    for name in CHILDREN:
        metadata.tables[name].create(connection)
        connection.execute(sa.text(f"INSERT INTO {name} SELECT * FROM kept_{name}"))
        op.drop_table(f"kept_{name}")
