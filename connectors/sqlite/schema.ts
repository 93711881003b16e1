import type { DatabaseSync } from 'node:sqlite';

/** What the first of {@link migrations} makes. Files of lower versions are from before the first release. */
const firstVersion = 5;

/**
 * The steps from an empty file to today's tables, in order. A step that was released is never changed:
 * a file in the field has passed it already. `user_version` says how many a file has passed.
 */
const migrations: readonly string[] = [
  `
  -- What transactions have brought since the tables below were last written: one row each, JSON of
  -- JournalEntry[]. With the tables it is the whole truth; a write-back moves it there and empties it.
  CREATE TABLE journal (number INTEGER PRIMARY KEY, entries TEXT NOT NULL) STRICT;

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

  -- Bytes are written once, for the ledger's message and its rows in queues alike, and never changed.
  CREATE TABLE content (number INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;

  -- What comes and goes between two write-backs is never here.
  CREATE TABLE queued (
    queue INTEGER NOT NULL REFERENCES queue,
    -- Order of arrival in its queue; never used again for another.
    position INTEGER NOT NULL,
    id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    -- 0, or when a retry is due (ms since 1970) and how long it was to wait then.
    due INTEGER NOT NULL,
    delay INTEGER NOT NULL,
    -- The envelope as JSON, all but its attempt and body.
    header TEXT NOT NULL,
    -- Why it is a dead letter: JSON of the issues.
    issues TEXT,
    content INTEGER NOT NULL REFERENCES content,
    -- 1: the content goes with this row. 0: a message of the ledger has it; as long as there is such a row
    -- the message's content must stay.
    owned INTEGER NOT NULL,
    PRIMARY KEY (queue, position)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX queued_id ON queued (queue, id);
  CREATE INDEX queued_due ON queued (due) WHERE due > 0;
  CREATE INDEX queued_content ON queued (content) WHERE owned = 0;

  CREATE TABLE interface (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

  CREATE TABLE message (
    -- Order of receipt (message-numbers.ts): the millisecond, and within it the order of arrival. So every
    -- index below is in order of receipt, and the table itself by time.
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
    bytes INTEGER,
    -- SHA-256 in base64 of what an interface took from a partner, to know it when it comes again.
    digest TEXT,
    -- Its bytes.
    content INTEGER REFERENCES content
  ) STRICT;
  CREATE INDEX message_control_id ON message (control_id) WHERE control_id IS NOT NULL;
  CREATE INDEX message_received ON message (control_id, interface, digest)
    WHERE digest IS NOT NULL AND control_id IS NOT NULL;
  -- The first of a correlation is found by its id.
  CREATE INDEX message_correlation ON message (correlation_id) WHERE correlation_id <> id;
  CREATE INDEX message_state ON message (state, interface) WHERE content_type IS NOT NULL;
  CREATE INDEX message_key ON message (key) WHERE key IS NOT NULL;

  -- The events of a message between two write-backs: most have one row for their whole life.
  CREATE TABLE event (
    message INTEGER NOT NULL REFERENCES message,
    -- Order of arrival of the first of them among all events.
    number INTEGER NOT NULL,
    -- JSON of PackedEvent[].
    events TEXT NOT NULL,
    PRIMARY KEY (message, number)
  ) STRICT, WITHOUT ROWID;
  -- The number of the last event that was written back.
  CREATE TABLE last_event (number INTEGER NOT NULL) STRICT;
  INSERT INTO last_event VALUES (0);

  -- Who waits in which queue, and since when.
  CREATE TABLE waiting (
    message INTEGER NOT NULL REFERENCES message,
    queue TEXT NOT NULL,
    since TEXT NOT NULL,
    PRIMARY KEY (message, queue)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX waiting_since ON waiting (queue, since);

  -- Who is set aside, in the order of parking: the number of the event.
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

  CREATE TABLE event_count (
    interface TEXT NOT NULL,
    queue TEXT NOT NULL,
    kind INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (interface, queue, kind)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- What retention has removed: what the counters count and no row is left of.
  CREATE TABLE pruned (messages INTEGER NOT NULL, events INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
  INSERT INTO pruned VALUES (0, 0, 0);
  `,
  `
  -- Which numbered appends of a process's spool are there, as far as they may come again.
  CREATE TABLE spooled (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- JSON of [first, last] pairs of numbers.
    applied TEXT NOT NULL
  ) STRICT;
  `,
  `
  -- The queue of whoever waits for what the flow answers: a message that is set aside has it again.
  ALTER TABLE message ADD COLUMN reply_to TEXT;
  `,
  `
  -- What the nodes of a flow made of a message's payload: apart from its events, which are searched, and gone with its
  -- body. PackedChanges.
  CREATE TABLE payload_change (message INTEGER PRIMARY KEY REFERENCES message, changes TEXT NOT NULL) STRICT;
  `,
  `
  -- The codes that it waits for: core/held-code.ts. NULL: for none.
  ALTER TABLE parked ADD COLUMN held TEXT;
  CREATE INDEX parked_held ON parked (queue, held, number) WHERE held IS NOT NULL;
  `,
];

/** Brings the tables of a file up to date. Throws on a file that a newer Hilum, or one before the first release, has written. */
export function migrate(database: DatabaseSync): void {
  const passed = Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
  const latest = firstVersion + migrations.length - 1;
  if (passed > latest) {
    throw new Error(
      `A data file of version ${latest} or earlier was expected and one of version ` +
        `${passed} was found: a newer Hilum has written it. Start that version, or restore a backup.`,
    );
  }
  if (passed > 0 && passed < firstVersion) {
    throw new Error(
      `A data file of version ${firstVersion} or later was expected and one of version ${passed} was found: ` +
        'a Hilum from before the first release has written it, and this one cannot read it. Start that one until its ' +
        'queues are empty, end it, move the file away together with those that begin with its name, and start this one.',
    );
  }
  for (const [index, step] of migrations.entries()) {
    const version = firstVersion + index;
    if (version <= passed) continue;
    database.exec('BEGIN IMMEDIATE');
    try {
      database.exec(step);
      database.exec(`PRAGMA user_version = ${version}`);
      database.exec('COMMIT');
    } catch (error) {
      database.exec('ROLLBACK');
      throw error;
    }
  }
}
