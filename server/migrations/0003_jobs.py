from pathlib import Path

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """The tables of pgqueuer 1.6.0, as `pgq sql install` prints them, with its trigger off."""

    dependencies = [("models", "0002_constraints")]
    initial = False

    operations = [
        ops.RunSQL(sql=Path(__file__).with_name("pgqueuer.sql").read_text()),
    ]
