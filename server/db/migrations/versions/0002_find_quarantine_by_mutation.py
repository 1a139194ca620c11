"""find what is in quarantine by its mutation"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_quarantine_mutation", "quarantine", ["commune_id", "mutation_id"])
