-- giftshop ledger on PostgreSQL (>= 14; tested on 15). Run as the owner role, never as the application role.
-- Every posting transaction: SET LOCAL lock_timeout = '5s'; SELECT pg_advisory_xact_lock(hashtextextended(:scope || ' ' || :key, 0))
-- (copies of one request wait for each other); then, certificates in id order, conditional UPDATE ... RETURNING -> INSERT ledger_entry; COMMIT.
-- READ COMMITTED is enough: the UPDATE takes the certificate's row lock before anything of it is read. Certificates do not wait for each other.
-- `certificate` shows the columns the ledger needs; the real table has more (recipient, code_enc, expires_on ...).

CREATE TABLE certificate(
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  public_id text NOT NULL CHECK(length(public_id) BETWEEN 4 AND 40),
  code_lookup bytea NOT NULL CHECK(octet_length(code_lookup) = 32),
  code_enc bytea NOT NULL CHECK(octet_length(code_enc) BETWEEN 32 AND 255),
  mode text NOT NULL CHECK(mode IN ('simulated','test','live')),
  currency text NOT NULL CHECK(currency ~ '^[A-Z]{3}$'),
  face_value_cents bigint NOT NULL CHECK(face_value_cents BETWEEN 1 AND 100000000),
  balance_cents bigint NOT NULL DEFAULT 0 CHECK(balance_cents >= 0),
  last_sequence integer NOT NULL DEFAULT 0 CHECK(last_sequence >= 0),
  status text NOT NULL DEFAULT 'active' CHECK(status IN ('active','frozen','void')),
  offer_slug text NOT NULL,
  service_name text NOT NULL,
  recipient_name text NOT NULL,
  giver_name text NOT NULL,
  message text NOT NULL,
  design text NOT NULL,
  issued_at timestamptz NOT NULL,
  expires_on date,
  CONSTRAINT uq_certificate_public_id UNIQUE(public_id),
  CONSTRAINT uq_certificate_code_lookup UNIQUE(code_lookup),
  CHECK(balance_cents <= face_value_cents),
  CHECK(status <> 'void' OR balance_cents = 0)
);

CREATE TABLE ledger_entry(
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  certificate_id bigint NOT NULL CONSTRAINT fk_ledger_entry_certificate_id REFERENCES certificate(id),
  sequence integer NOT NULL CHECK(sequence >= 1),
  kind text NOT NULL,
  debit_account text NOT NULL,
  credit_account text NOT NULL,
  amount_cents bigint NOT NULL CHECK(amount_cents BETWEEN 1 AND 100000000),
  balance_after_cents bigint NOT NULL CHECK(balance_after_cents >= 0),
  actor text NOT NULL CHECK(length(actor) BETWEEN 1 AND 64),
  reason_code text NOT NULL DEFAULT '' CHECK(length(reason_code) <= 40),
  external_ref text CHECK(length(external_ref) BETWEEN 1 AND 255),
  request_scope text NOT NULL CHECK(length(request_scope) BETWEEN 1 AND 64),
  request_key text NOT NULL CHECK(length(request_key) BETWEEN 8 AND 255),
  reverses_id bigint CONSTRAINT fk_ledger_entry_reverses_id REFERENCES ledger_entry(id),
  created_at timestamptz NOT NULL,
  prev_hash bytea NOT NULL CHECK(octet_length(prev_hash) = 32),
  hash bytea NOT NULL CHECK(octet_length(hash) = 32),
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
);

-- At COMMIT the row must agree with its newest entry: no balance without an entry, no certificate without an issue.
ALTER TABLE certificate ADD CONSTRAINT certificate_agrees_with_ledger
  FOREIGN KEY(id, last_sequence, balance_cents) REFERENCES ledger_entry(certificate_id, sequence, balance_after_cents)
  DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE money_request(            -- HTTP idempotency: first answer for ever, refusals too; no personal data in `answer`
  scope text NOT NULL CHECK(length(scope) BETWEEN 1 AND 64),
  key text NOT NULL CHECK(length(key) BETWEEN 16 AND 255),
  body_sha256 bytea NOT NULL CHECK(octet_length(body_sha256) = 32),
  status integer NOT NULL CHECK(status BETWEEN 200 AND 499),
  answer text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY(scope, key)
);

CREATE TABLE ledger_seal(              -- daily: one digest over the heads of all chains; mailed to the owner
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  created_at timestamptz NOT NULL,
  certificates bigint NOT NULL CHECK(certificates >= 0),
  entries bigint NOT NULL CHECK(entries >= 0),
  prev_digest bytea NOT NULL CHECK(octet_length(prev_digest) = 32),
  digest bytea NOT NULL CHECK(octet_length(digest) = 32),
  CONSTRAINT uq_ledger_seal_prev_digest UNIQUE(prev_digest),
  CONSTRAINT uq_ledger_seal_digest UNIQUE(digest)
);

CREATE INDEX ix_certificate_recipient_name ON certificate(recipient_name);
CREATE INDEX ix_ledger_entry_created_at ON ledger_entry(created_at);
CREATE INDEX ix_ledger_entry_actor_created_at ON ledger_entry(actor, created_at);
CREATE INDEX ix_ledger_entry_external_ref ON ledger_entry(external_ref) WHERE external_ref IS NOT NULL;

-- append-only -----------------------------------------------------------------------------------------------------
CREATE FUNCTION ledger_deny() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% on % refused: append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE ON ledger_entry FOR EACH ROW EXECUTE FUNCTION ledger_deny();
CREATE TRIGGER ledger_entry_no_truncate BEFORE TRUNCATE ON ledger_entry EXECUTE FUNCTION ledger_deny();
CREATE TRIGGER money_request_append_only BEFORE UPDATE OR DELETE ON money_request FOR EACH ROW EXECUTE FUNCTION ledger_deny();
CREATE TRIGGER money_request_no_truncate BEFORE TRUNCATE ON money_request EXECUTE FUNCTION ledger_deny();
CREATE TRIGGER ledger_seal_append_only BEFORE UPDATE OR DELETE ON ledger_seal FOR EACH ROW EXECUTE FUNCTION ledger_deny();
CREATE TRIGGER ledger_seal_no_truncate BEFORE TRUNCATE ON ledger_seal EXECUTE FUNCTION ledger_deny();
CREATE TRIGGER certificate_no_delete BEFORE DELETE ON certificate FOR EACH ROW EXECUTE FUNCTION ledger_deny();
CREATE TRIGGER certificate_no_truncate BEFORE TRUNCATE ON certificate EXECUTE FUNCTION ledger_deny();

-- the certificate row moves only with its ledger --------------------------------------------------------------------------
CREATE FUNCTION certificate_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.balance_cents <> 0 OR NEW.last_sequence <> 0 THEN RAISE EXCEPTION 'a certificate starts at 0' USING ERRCODE = 'check_violation'; END IF;
  ELSE
    IF (NEW.id, NEW.public_id, NEW.mode, NEW.currency, NEW.face_value_cents, NEW.issued_at)
       IS DISTINCT FROM (OLD.id, OLD.public_id, OLD.mode, OLD.currency, OLD.face_value_cents, OLD.issued_at) THEN
      RAISE EXCEPTION 'immutable certificate column' USING ERRCODE = 'check_violation'; END IF;
    IF NOT (NEW.last_sequence = OLD.last_sequence + 1
            OR (NEW.last_sequence = OLD.last_sequence AND NEW.balance_cents = OLD.balance_cents)) THEN
      RAISE EXCEPTION 'a balance moves one entry at a time' USING ERRCODE = 'check_violation'; END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER certificate_guard BEFORE INSERT OR UPDATE ON certificate FOR EACH ROW EXECUTE FUNCTION certificate_guard();

CREATE FUNCTION ledger_entry_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE c certificate; first ledger_entry; prior bigint; prior_hash bytea;
BEGIN
  SELECT * INTO c FROM certificate WHERE id = NEW.certificate_id;
  IF c.last_sequence IS DISTINCT FROM NEW.sequence OR c.balance_cents IS DISTINCT FROM NEW.balance_after_cents THEN
    RAISE EXCEPTION 'entry does not match its certificate' USING ERRCODE = 'check_violation'; END IF;
  IF NEW.sequence = 1 THEN
    prior := 0; prior_hash := decode(repeat('00', 32), 'hex');
    IF NEW.amount_cents <> c.face_value_cents THEN
      RAISE EXCEPTION 'first entry must carry the face value' USING ERRCODE = 'check_violation'; END IF;
  ELSE
    SELECT balance_after_cents, hash INTO prior, prior_hash FROM ledger_entry WHERE certificate_id = NEW.certificate_id AND sequence = NEW.sequence - 1;
    SELECT * INTO first FROM ledger_entry WHERE certificate_id = NEW.certificate_id AND sequence = 1;
  END IF;
  IF NEW.balance_after_cents IS DISTINCT FROM (prior + CASE WHEN NEW.credit_account = 'certificate_liability' THEN NEW.amount_cents
      WHEN NEW.debit_account = 'certificate_liability' THEN -NEW.amount_cents ELSE 0 END) THEN
    RAISE EXCEPTION 'balance does not follow from the previous entry' USING ERRCODE = 'check_violation'; END IF;
  IF NEW.kind IN ('redeem','cash_out') AND c.status <> 'active' THEN
    RAISE EXCEPTION 'certificate is not active' USING ERRCODE = 'check_violation'; END IF;
  IF NEW.kind IN ('refund_hold','refund_external','dispute_hold','loss') AND first.debit_account IS DISTINCT FROM 'stripe_clearing' THEN
    RAISE EXCEPTION 'only a certificate paid through Stripe can be refunded or disputed' USING ERRCODE = 'check_violation'; END IF;
  IF NEW.kind = 'void' AND NEW.credit_account <> first.debit_account
      AND (first.kind = 'promote' OR NEW.credit_account <> 'cash_paid_out') THEN
    RAISE EXCEPTION 'void must return the value where it came from, or say it was paid out' USING ERRCODE = 'check_violation'; END IF;
  IF NEW.reverses_id IS NOT NULL AND NOT EXISTS(
    SELECT 1 FROM ledger_entry o WHERE o.id = NEW.reverses_id AND o.certificate_id = NEW.certificate_id
      AND o.amount_cents = NEW.amount_cents AND o.credit_account = NEW.debit_account
      AND NEW.kind || ':' || o.kind IN ('reversal:redeem','reversal:cash_out','reversal:escheat','reversal:breakage','reversal:void',
        'refund_settled:refund_hold','refund_released:refund_hold','refund_returned:refund_settled','refund_returned:refund_external',
        'dispute_lost:dispute_hold','dispute_released:dispute_hold','dispute_recovered:dispute_lost','loss_recovered:loss')) THEN
    RAISE EXCEPTION 'closing entry must mirror an open entry' USING ERRCODE = 'check_violation'; END IF;
  IF NEW.prev_hash IS DISTINCT FROM prior_hash THEN
    RAISE EXCEPTION 'hash chain does not continue' USING ERRCODE = 'check_violation'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER ledger_entry_fits BEFORE INSERT ON ledger_entry FOR EACH ROW EXECUTE FUNCTION ledger_entry_fits();

-- also under session_replication_role = replica -----------------------------------------------------------------------
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_entry_append_only;
ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_entry_no_truncate;
ALTER TABLE certificate ENABLE ALWAYS TRIGGER certificate_no_delete;
ALTER TABLE certificate ENABLE ALWAYS TRIGGER certificate_no_truncate;

-- the application role (name from the installation); no DELETE, TRUNCATE, REFERENCES, TRIGGER anywhere -------------------
-- GRANT SELECT, INSERT ON ledger_entry, money_request, ledger_seal TO giftshop_app;
-- GRANT SELECT, INSERT, UPDATE ON certificate TO giftshop_app;
