/** Version of the tables in `head.schema`; a higher one was made by a newer version of this program. */
export const SCHEMA = 1;

/** Lists of words that rows are filtered by, in `row_word.list`. */
export const WORD_LISTS = { entrySelectors: 1, entryFederatesWith: 2, nodeSelectors: 3 } as const;

/**
 * The tables. `leaf` is the truth, `node` saves hashing, all others but `soft` are projections of the leaves.
 * `secure_delete` and the checkpoint after an erasure make erased bytes leave the file.
 */
export const TABLES = `
CREATE TABLE IF NOT EXISTS head (
  one INTEGER PRIMARY KEY CHECK (one = 1), schema INTEGER NOT NULL,
  ledger_id BLOB NOT NULL CHECK (length(ledger_id) = 16),
  key_secret BLOB NOT NULL CHECK (length(key_secret) = 32),
  epoch INTEGER NOT NULL, n INTEGER NOT NULL, root BLOB NOT NULL CHECK (length(root) = 32),
  system TEXT NOT NULL, timeline INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS leaf (
  n INTEGER PRIMARY KEY, leaf BLOB NOT NULL CHECK (length(leaf) = 80), body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS node (
  level INTEGER, idx INTEGER, hash BLOB NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (level, idx)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS abandoned (
  id INTEGER PRIMARY KEY, leaf BLOB NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS object (
  kind INTEGER, key BLOB, n INTEGER NOT NULL, first_n INTEGER NOT NULL, natural_key TEXT,
  PRIMARY KEY (kind, key)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS object_order ON object (kind, first_n);
CREATE INDEX IF NOT EXISTS object_n ON object (n);
CREATE TABLE IF NOT EXISTS entry (
  key BLOB PRIMARY KEY, first_n INTEGER NOT NULL, n INTEGER NOT NULL, entry_id TEXT NOT NULL,
  spiffe_id TEXT NOT NULL, parent_id TEXT NOT NULL, selectors TEXT NOT NULL,
  federates_with TEXT NOT NULL, hint TEXT NOT NULL, downstream INTEGER NOT NULL)
  STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entry_order ON entry (first_n);
CREATE INDEX IF NOT EXISTS entry_id ON entry (entry_id);
CREATE INDEX IF NOT EXISTS entry_parent ON entry (parent_id, first_n);
CREATE INDEX IF NOT EXISTS entry_spiffe ON entry (spiffe_id, first_n);
CREATE TABLE IF NOT EXISTS agent (
  key BLOB PRIMARY KEY, first_n INTEGER NOT NULL, n INTEGER NOT NULL, spiffe_id TEXT NOT NULL,
  attestation_type TEXT NOT NULL, selectors TEXT NOT NULL, state TEXT NOT NULL,
  can_reattest INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS agent_order ON agent (first_n);
CREATE INDEX IF NOT EXISTS agent_spiffe ON agent (spiffe_id);
CREATE TABLE IF NOT EXISTS join_token (
  key BLOB PRIMARY KEY, first_n INTEGER NOT NULL, n INTEGER NOT NULL, token_sha256 TEXT NOT NULL,
  expires_at_ms INTEGER NOT NULL, spent INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS join_token_hash ON join_token (token_sha256);
CREATE INDEX IF NOT EXISTS join_token_expiry ON join_token (expires_at_ms);
CREATE TABLE IF NOT EXISTS row_word (
  list INTEGER, word TEXT, key BLOB, PRIMARY KEY (list, word, key)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS row_word_key ON row_word (key);
CREATE TABLE IF NOT EXISTS soft (
  spiffe_id TEXT PRIMARY KEY, last_seen_at_ms INTEGER NOT NULL, serial_number TEXT NOT NULL,
  expires_at_ms INTEGER NOT NULL, agent_version TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;
