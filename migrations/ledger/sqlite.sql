-- giftshop ledger on SQLite (>= 3.37 for STRICT; the WAL version gate is in ledger.md).
-- Every connection: PRAGMA foreign_keys=ON; PRAGMA recursive_triggers=ON; both are read back and asserted.
-- Every posting transaction: flock -> BEGIN IMMEDIATE -> conditional UPDATE ... RETURNING -> INSERT ledger_entry -> COMMIT.
-- `certificate` shows the columns the ledger needs; the real table has more (recipient, code_enc, expires_on ...).
-- Every further UNIQUE column of `certificate` must be added to the two *_no_replace triggers below.

CREATE TABLE certificate(
  id INTEGER PRIMARY KEY NOT NULL,
  public_id TEXT NOT NULL CHECK(length(public_id) BETWEEN 4 AND 40),
  code_lookup BLOB NOT NULL CHECK(length(code_lookup) = 32),
  code_enc BLOB NOT NULL CHECK(length(code_enc) BETWEEN 32 AND 255),
  mode TEXT NOT NULL CHECK(mode IN ('simulated','test','live')),
  currency TEXT NOT NULL CHECK(length(currency) = 3 AND currency = upper(currency)),
  face_value_cents INTEGER NOT NULL CHECK(face_value_cents BETWEEN 1 AND 100000000),
  balance_cents INTEGER NOT NULL DEFAULT 0 CHECK(balance_cents >= 0),
  last_sequence INTEGER NOT NULL DEFAULT 0 CHECK(last_sequence >= 0),
  status TEXT NOT NULL DEFAULT 'active' CHECK(status IN ('active','frozen','void')),
  offer_slug TEXT NOT NULL,
  service_name TEXT NOT NULL,
  recipient_name TEXT NOT NULL,
  giver_name TEXT NOT NULL,
  message TEXT NOT NULL,
  design TEXT NOT NULL,
  issued_at TEXT NOT NULL,
  expires_on TEXT,
  CONSTRAINT uq_certificate_public_id UNIQUE(public_id),
  CONSTRAINT uq_certificate_code_lookup UNIQUE(code_lookup),
  CHECK(balance_cents <= face_value_cents),
  CHECK(status <> 'void' OR balance_cents = 0),
  -- At COMMIT the row must agree with its newest entry: no balance without an entry, no certificate without an issue.
  CONSTRAINT certificate_agrees_with_ledger FOREIGN KEY(id, last_sequence, balance_cents)
    REFERENCES ledger_entry(certificate_id, sequence, balance_after_cents) DEFERRABLE INITIALLY DEFERRED
) STRICT;

CREATE TABLE ledger_entry(
  id INTEGER PRIMARY KEY NOT NULL,
  certificate_id INTEGER NOT NULL CONSTRAINT fk_ledger_entry_certificate_id REFERENCES certificate(id),
  sequence INTEGER NOT NULL CHECK(sequence >= 1),
  kind TEXT NOT NULL,
  debit_account TEXT NOT NULL,
  credit_account TEXT NOT NULL,
  amount_cents INTEGER NOT NULL CHECK(amount_cents BETWEEN 1 AND 100000000),
  balance_after_cents INTEGER NOT NULL CHECK(balance_after_cents >= 0),
  actor TEXT NOT NULL CHECK(length(actor) BETWEEN 1 AND 64),
  reason_code TEXT NOT NULL DEFAULT '' CHECK(length(reason_code) <= 40),
  external_ref TEXT CHECK(length(external_ref) BETWEEN 1 AND 255),
  request_scope TEXT NOT NULL CHECK(length(request_scope) BETWEEN 1 AND 64),
  request_key TEXT NOT NULL CHECK(length(request_key) BETWEEN 8 AND 255),
  reverses_id INTEGER CONSTRAINT fk_ledger_entry_reverses_id REFERENCES ledger_entry(id),
  created_at TEXT NOT NULL CHECK(length(created_at) BETWEEN 19 AND 32),
  prev_hash BLOB NOT NULL CHECK(length(prev_hash) = 32),
  hash BLOB NOT NULL CHECK(length(hash) = 32),
  CONSTRAINT uq_ledger_entry_reverses_id UNIQUE(reverses_id),
  CONSTRAINT uq_ledger_entry_hash UNIQUE(hash),
  CONSTRAINT uq_ledger_entry_certificate_id_sequence UNIQUE(certificate_id, sequence),
  CONSTRAINT uq_ledger_entry_certificate_id_sequence_balance_after_cents UNIQUE(certificate_id, sequence, balance_after_cents),
  CONSTRAINT uq_ledger_entry_request_scope_request_key UNIQUE(request_scope, request_key),
  CHECK((sequence = 1) = (kind IN ('issue','promote','import'))),
  CHECK((reverses_id IS NOT NULL) = (kind IN ('reversal','refund_settled','refund_released','refund_returned',
        'dispute_lost','dispute_released','dispute_recovered','loss_recovered'))),
  CHECK(kind || ':' || debit_account || '>' || credit_account IN (
    'issue:stripe_clearing>certificate_liability',
    'promote:promotion_expense>certificate_liability',
    'import:import_opening>certificate_liability',
    'redeem:certificate_liability>service_revenue',
    'cash_out:certificate_liability>cash_paid_out',
    'escheat:certificate_liability>cash_paid_out',
    'breakage:certificate_liability>breakage',
    'void:certificate_liability>promotion_expense',
    'void:certificate_liability>import_opening',
    'void:certificate_liability>cash_paid_out',
    'reversal:service_revenue>certificate_liability',
    'reversal:cash_paid_out>certificate_liability',
    'reversal:breakage>certificate_liability',
    'reversal:promotion_expense>certificate_liability',
    'reversal:import_opening>certificate_liability',
    'refund_hold:certificate_liability>refund_due',
    'refund_settled:refund_due>stripe_clearing',
    'refund_released:refund_due>certificate_liability',
    'refund_external:certificate_liability>stripe_clearing',
    'refund_returned:stripe_clearing>certificate_liability',
    'dispute_hold:certificate_liability>dispute_hold',
    'dispute_lost:dispute_hold>stripe_clearing',
    'dispute_released:dispute_hold>certificate_liability',
    'dispute_recovered:stripe_clearing>certificate_liability',
    'loss:write_off>stripe_clearing',
    'loss_recovered:stripe_clearing>write_off'))
) STRICT;

CREATE TABLE money_request(            -- HTTP idempotency: first answer for ever, refusals too; no personal data in `answer`
  scope TEXT NOT NULL CHECK(length(scope) BETWEEN 1 AND 64),
  key TEXT NOT NULL CHECK(length(key) BETWEEN 16 AND 255),
  body_sha256 BLOB NOT NULL CHECK(length(body_sha256) = 32),
  status INTEGER NOT NULL CHECK(status BETWEEN 200 AND 499),
  answer TEXT NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY(scope, key)
) STRICT;

CREATE TABLE ledger_seal(              -- daily: one digest over the heads of all chains; mailed to the owner
  id INTEGER PRIMARY KEY NOT NULL,
  created_at TEXT NOT NULL,
  certificates INTEGER NOT NULL CHECK(certificates >= 0),
  entries INTEGER NOT NULL CHECK(entries >= 0),
  prev_digest BLOB NOT NULL CHECK(length(prev_digest) = 32),
  digest BLOB NOT NULL CHECK(length(digest) = 32),
  CONSTRAINT uq_ledger_seal_prev_digest UNIQUE(prev_digest),
  CONSTRAINT uq_ledger_seal_digest UNIQUE(digest)
) STRICT;

CREATE INDEX ix_certificate_recipient_name ON certificate(recipient_name);
CREATE INDEX ix_ledger_entry_created_at ON ledger_entry(created_at);
CREATE INDEX ix_ledger_entry_actor_created_at ON ledger_entry(actor, created_at);
CREATE INDEX ix_ledger_entry_external_ref ON ledger_entry(external_ref) WHERE external_ref IS NOT NULL;

-- append-only -----------------------------------------------------------------------------------------------------
CREATE TRIGGER ledger_entry_no_update BEFORE UPDATE ON ledger_entry BEGIN SELECT RAISE(ABORT, 'ledger_entry is append-only'); END;
CREATE TRIGGER ledger_entry_no_delete BEFORE DELETE ON ledger_entry BEGIN SELECT RAISE(ABORT, 'ledger_entry is append-only'); END;
CREATE TRIGGER money_request_no_update BEFORE UPDATE ON money_request BEGIN SELECT RAISE(ABORT, 'money_request is append-only'); END;
CREATE TRIGGER money_request_no_delete BEFORE DELETE ON money_request BEGIN SELECT RAISE(ABORT, 'money_request is append-only'); END;
CREATE TRIGGER ledger_seal_no_update BEFORE UPDATE ON ledger_seal BEGIN SELECT RAISE(ABORT, 'ledger_seal is append-only'); END;
CREATE TRIGGER ledger_seal_no_delete BEFORE DELETE ON ledger_seal BEGIN SELECT RAISE(ABORT, 'ledger_seal is append-only'); END;
CREATE TRIGGER ledger_seal_no_replace BEFORE INSERT ON ledger_seal
 WHEN EXISTS(SELECT 1 FROM ledger_seal WHERE id = NEW.id OR digest = NEW.digest OR prev_digest = NEW.prev_digest)
 BEGIN SELECT RAISE(ABORT, 'duplicate ledger_seal'); END;
CREATE TRIGGER certificate_no_delete BEFORE DELETE ON certificate BEGIN SELECT RAISE(ABORT, 'certificates are never deleted'); END;
CREATE TRIGGER certificate_immutable BEFORE UPDATE OF id, public_id, mode, currency, face_value_cents, issued_at ON certificate
 BEGIN SELECT RAISE(ABORT, 'immutable certificate column'); END;

-- INSERT OR REPLACE / UPDATE OR REPLACE delete rows without firing delete triggers: refuse the duplicate first ----------
CREATE TRIGGER ledger_entry_no_replace BEFORE INSERT ON ledger_entry
 WHEN EXISTS(SELECT 1 FROM ledger_entry WHERE id = NEW.id OR hash = NEW.hash OR reverses_id = NEW.reverses_id
   OR (certificate_id = NEW.certificate_id AND sequence = NEW.sequence)
   OR (request_scope = NEW.request_scope AND request_key = NEW.request_key))
 BEGIN SELECT RAISE(ABORT, 'duplicate ledger_entry'); END;
CREATE TRIGGER money_request_no_replace BEFORE INSERT ON money_request
 WHEN EXISTS(SELECT 1 FROM money_request WHERE scope = NEW.scope AND key = NEW.key)
 BEGIN SELECT RAISE(ABORT, 'duplicate money_request'); END;
CREATE TRIGGER certificate_no_replace BEFORE INSERT ON certificate
 WHEN EXISTS(SELECT 1 FROM certificate WHERE id = NEW.id OR public_id = NEW.public_id OR code_lookup = NEW.code_lookup)
 BEGIN SELECT RAISE(ABORT, 'duplicate certificate'); END;
CREATE TRIGGER certificate_update_no_replace BEFORE UPDATE OF code_lookup ON certificate
 WHEN EXISTS(SELECT 1 FROM certificate WHERE code_lookup = NEW.code_lookup AND id <> NEW.id)
 BEGIN SELECT RAISE(ABORT, 'duplicate code'); END;

-- the certificate row moves only with its ledger --------------------------------------------------------------------------
CREATE TRIGGER certificate_starts_empty BEFORE INSERT ON certificate WHEN NEW.balance_cents <> 0 OR NEW.last_sequence <> 0
 BEGIN SELECT RAISE(ABORT, 'a certificate starts at 0'); END;
CREATE TRIGGER certificate_moves_by_entry BEFORE UPDATE OF balance_cents, last_sequence ON certificate
 WHEN NOT (NEW.last_sequence = OLD.last_sequence + 1 OR (NEW.last_sequence = OLD.last_sequence AND NEW.balance_cents = OLD.balance_cents))
 BEGIN SELECT RAISE(ABORT, 'a balance moves one entry at a time'); END;

CREATE TRIGGER ledger_entry_fits BEFORE INSERT ON ledger_entry BEGIN
  SELECT RAISE(ABORT, 'entry does not match its certificate') WHERE NOT EXISTS(
    SELECT 1 FROM certificate WHERE id = NEW.certificate_id AND last_sequence = NEW.sequence AND balance_cents = NEW.balance_after_cents);
  SELECT RAISE(ABORT, 'balance does not follow from the previous entry') WHERE NEW.balance_after_cents IS NOT
    (CASE WHEN NEW.sequence = 1 THEN 0 ELSE
      (SELECT balance_after_cents FROM ledger_entry WHERE certificate_id = NEW.certificate_id AND sequence = NEW.sequence - 1) END)
    + (CASE WHEN NEW.credit_account = 'certificate_liability' THEN NEW.amount_cents
            WHEN NEW.debit_account = 'certificate_liability' THEN -NEW.amount_cents ELSE 0 END);
  SELECT RAISE(ABORT, 'first entry must carry the face value') WHERE NEW.sequence = 1 AND NEW.amount_cents <>
    (SELECT face_value_cents FROM certificate WHERE id = NEW.certificate_id);
  SELECT RAISE(ABORT, 'certificate is not active') WHERE NEW.kind IN ('redeem','cash_out') AND
    (SELECT status FROM certificate WHERE id = NEW.certificate_id) <> 'active';
  SELECT RAISE(ABORT, 'only a certificate paid through Stripe can be refunded or disputed')
    WHERE NEW.kind IN ('refund_hold','refund_external','dispute_hold','loss') AND NOT EXISTS(
    SELECT 1 FROM ledger_entry WHERE certificate_id = NEW.certificate_id AND sequence = 1 AND debit_account = 'stripe_clearing');
  SELECT RAISE(ABORT, 'void must return the value where it came from, or say it was paid out') WHERE NEW.kind = 'void' AND NOT EXISTS(
    SELECT 1 FROM ledger_entry WHERE certificate_id = NEW.certificate_id AND sequence = 1
      AND (debit_account = NEW.credit_account OR (kind <> 'promote' AND NEW.credit_account = 'cash_paid_out')));
  SELECT RAISE(ABORT, 'closing entry must mirror an open entry') WHERE NEW.reverses_id IS NOT NULL AND NOT EXISTS(
    SELECT 1 FROM ledger_entry o WHERE o.id = NEW.reverses_id AND o.certificate_id = NEW.certificate_id
      AND o.amount_cents = NEW.amount_cents AND o.credit_account = NEW.debit_account
      AND NEW.kind || ':' || o.kind IN ('reversal:redeem','reversal:cash_out','reversal:escheat','reversal:breakage','reversal:void',
        'refund_settled:refund_hold','refund_released:refund_hold','refund_returned:refund_settled','refund_returned:refund_external',
        'dispute_lost:dispute_hold','dispute_released:dispute_hold','dispute_recovered:dispute_lost','loss_recovered:loss'));
  SELECT RAISE(ABORT, 'hash chain does not continue') WHERE NEW.prev_hash IS NOT
    (CASE WHEN NEW.sequence = 1 THEN zeroblob(32) ELSE
      (SELECT hash FROM ledger_entry WHERE certificate_id = NEW.certificate_id AND sequence = NEW.sequence - 1) END);
END;
