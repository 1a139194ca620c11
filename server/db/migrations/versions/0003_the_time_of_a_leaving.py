"""the time at which a row left a scope, so that old ones can be trimmed"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # what is there already counts as of today: it is kept its whole time once more
    op.add_column("scope_exit", sa.Column("at", sa.String(), nullable=False, server_default=sa.text("'2026-11-24T00:00:00.000Z'")))
