/** A step of the schema, and the way back. One that was released is never changed: a database has passed it already. */
interface Migration {
  readonly up: string;
  /**
   * The earliest version whose program can work with the tables after this step, beside newer ones; absent: none before
   * it. So it is for a step that only adds what the earlier one neither reads nor has to write.
   */
  readonly usableFrom?: number;
  /** Loses what only the newer schema has. */
  readonly down: string;
}

/**
 * The steps from an empty schema to today's tables, in order; version 1 is the first. Statements are run with the
 * schema `hilum` in the search path. Tables that are partitioned: {@link partitionedTables}.
 */
export const migrations: readonly Migration[] = [
  {
    up: `
    -- Order of arrival, of events and messages: a transaction takes a block of them. The step is numbersPerBlock.
    CREATE SEQUENCE arrival INCREMENT 4096 START 4096;

    CREATE TABLE interface (
      number INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      name TEXT COLLATE "C" NOT NULL UNIQUE
    );

    -- The ids of messages begin with their time: the tables below are in parts by that. What has no part of its own
    -- (ids of another kind, events of what is gone, what retention has left) is in the rest.
    CREATE TABLE part (
      name TEXT PRIMARY KEY,
      start_ms BIGINT NOT NULL UNIQUE,
      end_ms BIGINT NOT NULL,
      -- From the first id on, before the second.
      start_id TEXT COLLATE "C" NOT NULL,
      end_id TEXT COLLATE "C" NOT NULL
    );
    -- How many days the next part has.
    CREATE TABLE part_width (days INTEGER NOT NULL CHECK (days BETWEEN 1 AND 366));
    INSERT INTO part_width VALUES (7);

    -- Where a message stands: what changes of it, apart from what never does.
    CREATE TABLE standing (
      id TEXT COLLATE "C" PRIMARY KEY,
      interface INTEGER NOT NULL,
      -- An index of messageStates.
      state SMALLINT NOT NULL,
      -- The event that the state follows from: what came before it does not change the state.
      state_at TEXT NOT NULL,
      last_event_at TEXT NOT NULL,
      -- Of the message, to be found in its order; NULL while only events of it are known.
      received_ms BIGINT,
      arrival BIGINT NOT NULL
    ) PARTITION BY RANGE (id);
    CREATE INDEX standing_state ON standing (state, interface, received_ms, arrival) WHERE received_ms IS NOT NULL;

    CREATE TABLE message (
      id TEXT COLLATE "C" PRIMARY KEY,
      interface INTEGER NOT NULL,
      received_ms BIGINT NOT NULL,
      arrival BIGINT NOT NULL,
      received_at TEXT NOT NULL,
      content_type TEXT NOT NULL,
      message_type TEXT COLLATE "C",
      control_id TEXT COLLATE "C",
      key TEXT COLLATE "C",
      correlation_id TEXT COLLATE "C" NOT NULL,
      causation_id TEXT COLLATE "C",
      attempt INTEGER NOT NULL,
      charset TEXT,
      reply_to TEXT,
      bytes INTEGER NOT NULL,
      -- SHA-256 in base64 of what an interface took from a partner, to know it when it comes again.
      digest TEXT COLLATE "C"
    ) PARTITION BY RANGE (id);
    -- By what only questions about all messages sort by: to sort by the column itself must not lead here, or the newest
    -- message of a control id would be looked for among all.
    CREATE INDEX message_received ON message ((received_ms + 0), arrival);
    CREATE INDEX message_control_id ON message (control_id, received_ms, arrival) WHERE control_id IS NOT NULL;
    CREATE INDEX message_receipt ON message (control_id, interface, digest, received_ms, arrival)
      WHERE digest IS NOT NULL AND control_id IS NOT NULL;
    -- The first of a correlation is found by its id.
    CREATE INDEX message_correlation ON message (correlation_id) WHERE correlation_id <> id;
    CREATE INDEX message_key ON message (key, received_ms, arrival) WHERE key IS NOT NULL;

    -- Apart from the message: a list of messages reads no bodies.
    CREATE TABLE content (id TEXT COLLATE "C" PRIMARY KEY, body BYTEA NOT NULL) PARTITION BY RANGE (id);

    -- The events that one append had of a message: JSON of PackedEvent[].
    CREATE TABLE event (
      id TEXT COLLATE "C" NOT NULL,
      number BIGINT NOT NULL,
      count SMALLINT NOT NULL,
      events TEXT NOT NULL,
      PRIMARY KEY (id, number)
    ) PARTITION BY RANGE (id);

    CREATE TABLE standing_rest PARTITION OF standing DEFAULT;
    CREATE TABLE message_rest PARTITION OF message DEFAULT;
    CREATE TABLE content_rest PARTITION OF content DEFAULT;
    CREATE TABLE event_rest PARTITION OF event DEFAULT;

    -- Who waits in which queue, and since when.
    CREATE TABLE waiting (
      id TEXT COLLATE "C" NOT NULL,
      queue TEXT COLLATE "C" NOT NULL,
      since TEXT COLLATE "C" NOT NULL,
      arrival BIGINT NOT NULL,
      PRIMARY KEY (id, queue)
    ) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 10000);
    CREATE INDEX waiting_since ON waiting (queue, since, arrival);

    -- Who is set aside, in the order of parking: the number of the event.
    CREATE TABLE parked (
      number BIGINT PRIMARY KEY,
      queue TEXT COLLATE "C" NOT NULL,
      key TEXT COLLATE "C" NOT NULL,
      id TEXT COLLATE "C" NOT NULL,
      since TEXT NOT NULL,
      stopped BOOLEAN NOT NULL
    );
    CREATE INDEX parked_key ON parked (queue, key, number);
    CREATE UNIQUE INDEX parked_message ON parked (id, queue);

    -- Each writer counts for itself, so that none waits for another; the sum over them is the count.
    CREATE TABLE event_count (
      interface TEXT COLLATE "C" NOT NULL,
      queue TEXT COLLATE "C" NOT NULL,
      kind SMALLINT NOT NULL,
      writer INTEGER NOT NULL,
      count BIGINT NOT NULL,
      PRIMARY KEY (interface, queue, kind, writer)
    ) WITH (fillfactor = 40);
    CREATE TABLE waiting_count (
      queue TEXT COLLATE "C" NOT NULL,
      writer INTEGER NOT NULL,
      count BIGINT NOT NULL,
      PRIMARY KEY (queue, writer)
    ) WITH (fillfactor = 40);

    -- Which numbered appends of a process are there, as far as they may come again: JSON of [first, last] pairs.
    CREATE TABLE batch (sender TEXT COLLATE "C" PRIMARY KEY, touched BIGINT NOT NULL, spans TEXT NOT NULL)
      WITH (fillfactor = 40);
    CREATE INDEX batch_touched ON batch (touched);

    -- What retention has removed: what the counters count and no row is left of.
    CREATE TABLE pruned (messages BIGINT NOT NULL, events BIGINT NOT NULL, bytes BIGINT NOT NULL);
    INSERT INTO pruned VALUES (0, 0, 0);
    `,
    down: `
    DROP TABLE interface, part, part_width, standing, message, content, event, waiting, parked, event_count,
      waiting_count, batch, pruned;
    DROP SEQUENCE arrival;
    `,
  },
  {
    up: `
    -- What the nodes of a flow made of a message's payload: gone with its body. PackedChanges.
    CREATE TABLE payload_change (id TEXT COLLATE "C" PRIMARY KEY, changes TEXT NOT NULL) PARTITION BY RANGE (id);
    CREATE TABLE payload_change_rest PARTITION OF payload_change DEFAULT;
    -- With the parts that the others have.
    DO $$
    DECLARE
      each RECORD;
    BEGIN
      FOR each IN SELECT * FROM part LOOP
        EXECUTE format('CREATE TABLE payload_change_%s PARTITION OF payload_change FOR VALUES FROM (%L) TO (%L)',
          each.name, each.start_id, each.end_id);
      END LOOP;
    END $$;
    `,
    down: 'DROP TABLE payload_change;',
  },
  {
    up: `
    -- What the roles of one installation share.
    CREATE TABLE revision (
      number INTEGER PRIMARY KEY,
      at TIMESTAMPTZ NOT NULL DEFAULT now(),
      made_by TEXT NOT NULL,
      message TEXT NOT NULL,
      content JSON NOT NULL
    );
    CREATE TABLE member (
      id TEXT PRIMARY KEY,
      seen_at TIMESTAMPTZ NOT NULL DEFAULT now(),
      member JSON NOT NULL
    );
    CREATE TABLE kept_text (
      name TEXT PRIMARY KEY,
      text TEXT NOT NULL
    );
    -- Notices that are too large for the payload of NOTIFY, for a minute.
    CREATE TABLE large_notice (
      number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      at TIMESTAMPTZ NOT NULL DEFAULT now(),
      notice TEXT NOT NULL
    );
    `,
    down: 'DROP TABLE revision; DROP TABLE member; DROP TABLE kept_text; DROP TABLE large_notice;',
  },
  {
    up: `
    -- The earliest program that can work with these tables: what one of before goes by that does not know them.
    ALTER TABLE schema_version ADD COLUMN usable_from INTEGER;
    `,
    down: 'ALTER TABLE schema_version DROP COLUMN usable_from;',
  },
  {
    up: `
    -- Nearly every transaction changes it: without an index it changes in its place, and at most a thousand are sorted.
    DROP INDEX batch_touched;
    `,
    usableFrom: 4,
    down: 'CREATE INDEX batch_touched ON batch (touched);',
  },
  {
    up: `
    -- The codes that it waits for: core/held-code.ts. NULL: for none.
    ALTER TABLE parked ADD COLUMN held TEXT COLLATE "C";
    -- Of a text that may be too long for an index.
    CREATE INDEX parked_held ON parked (queue, md5(held), number) WHERE held IS NOT NULL;
    `,
    // An older program leaves it NULL: what that sets aside waits for a person, as it did before.
    usableFrom: 4,
    down: 'ALTER TABLE parked DROP COLUMN held;',
  },
];

/** The first version that says in the database from which one on it is usable. */
export const firstThatSays = 4;

/** The version of the schema that this program reads and writes. */
export const latestVersion = migrations.length;

/** So many numbers a transaction takes from the sequence `arrival` at once. */
export const numbersPerBlock = 4_096;

/** The tables that are in parts by time, all by the same. */
export const partitionedTables = [
  'standing',
  'message',
  'content',
  'event',
  'payload_change',
] as const;
