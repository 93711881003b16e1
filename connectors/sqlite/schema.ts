import type { DatabaseSync } from 'node:sqlite';

/**
 * The steps from an empty file to today's tables, in order. A step that was released is never changed:
 * a file in the field has passed it already. `user_version` says how many a file has passed.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE queue (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    interface TEXT NOT NULL,
    -- The queue whose dead letters these are; NULL on the queues that were declared.
    dead_of INTEGER REFERENCES queue,
    -- What stands at or before this position may have been delivered.
    mark INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE subscription (
    queue INTEGER NOT NULL REFERENCES queue,
    pattern TEXT NOT NULL,
    PRIMARY KEY (queue, pattern)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE queued (
    number INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL REFERENCES queue,
    -- Order of arrival in its queue.
    position INTEGER NOT NULL,
    id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    -- 0, or when a retry is due (ms since 1970) and how long it was to wait then.
    due INTEGER NOT NULL DEFAULT 0,
    delay INTEGER NOT NULL DEFAULT 0,
    -- The envelope as JSON, all but its attempt and body.
    header TEXT NOT NULL,
    -- Why it is a dead letter: JSON of the issues.
    issues TEXT,
    body BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX queued_position ON queued (queue, position);
  CREATE UNIQUE INDEX queued_id ON queued (queue, id);
  CREATE INDEX queued_due ON queued (due) WHERE due > 0;

  CREATE TABLE interface (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

  CREATE TABLE message (
    -- Order of arrival.
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    interface INTEGER NOT NULL REFERENCES interface,
    -- An index of messageStates.
    state INTEGER NOT NULL,
    -- The event that the state follows from: what came before it does not change the state.
    state_at TEXT NOT NULL,
    last_event_at TEXT NOT NULL,
    -- NULL while only events of the message are known.
    content_type TEXT,
    message_type TEXT,
    control_id TEXT,
    key TEXT,
    correlation_id TEXT,
    causation_id TEXT,
    received_at TEXT,
    attempt INTEGER,
    charset TEXT,
    bytes INTEGER
  ) STRICT;
  CREATE INDEX message_control_id ON message (control_id) WHERE control_id IS NOT NULL;
  CREATE INDEX message_correlation ON message (correlation_id) WHERE correlation_id IS NOT NULL;
  -- Serves every question for the newest: of a state, of an interface, of both, of neither.
  CREATE INDEX message_state ON message (state, interface) WHERE content_type IS NOT NULL;

  -- Apart from the message, whose row changes with every event: bytes are written once.
  CREATE TABLE content (message INTEGER PRIMARY KEY REFERENCES message, body BLOB NOT NULL) STRICT;

  CREATE TABLE event (
    number INTEGER PRIMARY KEY,
    message INTEGER NOT NULL REFERENCES message,
    -- An index of eventKinds.
    kind INTEGER NOT NULL,
    at TEXT NOT NULL,
    queue TEXT,
    attempt INTEGER,
    summary TEXT,
    issues TEXT
  ) STRICT;
  CREATE INDEX event_message ON event (message);

  -- Who waits in which queue, and since when.
  CREATE TABLE waiting (
    message INTEGER NOT NULL REFERENCES message,
    queue TEXT NOT NULL,
    since TEXT NOT NULL,
    PRIMARY KEY (message, queue)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX waiting_since ON waiting (queue, since);

  CREATE TABLE event_count (
    interface TEXT NOT NULL,
    queue TEXT NOT NULL,
    kind INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (interface, queue, kind)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Who is set aside, in the order of parking.
  CREATE TABLE parked (
    number INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    key TEXT NOT NULL,
    message INTEGER NOT NULL REFERENCES message,
    since TEXT NOT NULL,
    -- 1: it was given up and waits for a decision.
    stopped INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX parked_key ON parked (queue, key, number);
  CREATE UNIQUE INDEX parked_message ON parked (message, queue);
  `,
  `
  -- SHA-256 in base64 of what an interface took from a partner, to know it when it comes again.
  ALTER TABLE message ADD COLUMN digest TEXT;
  CREATE INDEX message_received ON message (control_id, interface, digest)
    WHERE digest IS NOT NULL AND control_id IS NOT NULL;
  -- Every search goes by the time of receipt: a spooled message arrives late.
  DROP INDEX message_state;
  DROP INDEX message_control_id;
  CREATE INDEX message_state ON message (state, interface, received_at)
    WHERE content_type IS NOT NULL;
  CREATE INDEX message_control_id ON message (control_id, received_at)
    WHERE control_id IS NOT NULL;
  CREATE INDEX message_key ON message (key, received_at) WHERE key IS NOT NULL;
  CREATE INDEX message_time ON message (received_at) WHERE content_type IS NOT NULL;
  `,
  `
  -- Up to which event states, waiting and counters are written; what follows from later ones is not yet.
  CREATE TABLE written_back (event INTEGER NOT NULL) STRICT;
  INSERT INTO written_back SELECT coalesce(max(number), 0) FROM event;
  `,
  `
  -- Which numbered appends of a journal are there, as far as they may come again.
  CREATE TABLE journal (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- JSON of [first, last] pairs of numbers.
    applied TEXT NOT NULL
  ) STRICT;
  `,
];

/** Brings the tables of a file up to date. Throws on a file that a newer Hilum has written. */
export function migrate(database: DatabaseSync): void {
  const passed = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  if (passed > migrations.length) {
    throw new Error(
      `A data file of version ${migrations.length} or earlier was expected and one of version ` +
        `${passed} was found: a newer Hilum has written it. Start that version, or restore a backup.`,
    );
  }
  for (const [index, step] of migrations.entries()) {
    if (index < passed) continue;
    database.exec('BEGIN IMMEDIATE');
    try {
      database.exec(step);
      database.exec(`PRAGMA user_version = ${index + 1}`);
      database.exec('COMMIT');
    } catch (error) {
      database.exec('ROLLBACK');
      throw error;
    }
  }
}
