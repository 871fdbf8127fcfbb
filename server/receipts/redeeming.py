"""The receipt's part in the one statement of a submission."""

# Whoever objects “不是我评的” in this moment is waited for, and then an older code redeems nothing. The
# key that the review's reference takes on the receipt's row anyway is only taken earlier.
REDEEMED = """redeemed AS (
  SELECT given.*, receipts.region_code FROM given JOIN receipts ON receipts.id = given.receipt_id
   AND receipts.generation = given.held AND receipts.voided_at IS NULL
   AND greatest(receipts.open_until, receipts.reopened_until) >= given.at
  FOR KEY SHARE OF receipts
)"""
"""The receipt's part in a submission: it is there, not voided, this is its newest code, and its time has
not passed."""
REDEEMED_LATE = """redeemed AS (
  SELECT given.*, receipts.region_code FROM given JOIN receipts ON receipts.id = given.receipt_id
   AND receipts.generation = given.held AND receipts.voided_at IS NULL
  WHERE given.id IN (SELECT id FROM admitted)
  FOR KEY SHARE OF receipts
)"""
"""Its time has passed; `admitted` says for whom the system's default rating made room."""
