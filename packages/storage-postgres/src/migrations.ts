// The migrations, in their order. What was released is frozen: its checksum stands in the databases of users. A change
// is a migration more.

const FIRST = `
-- What the whole log has once: how far positions are ahead of this server's transaction ids.
CREATE TABLE {schema}.log (
	only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
	transaction_offset bigint NOT NULL
);
INSERT INTO {schema}.log (transaction_offset) VALUES (0);

-- How far each stream is: what an append expects is decided on its row.
CREATE TABLE {schema}.streams (
	stream text COLLATE "C" PRIMARY KEY,
	version bigint NOT NULL,
	position bigint NOT NULL
) WITH (fillfactor = 90);

-- position: the appending transaction, then the place in it (20 bits); events of later transactions stand behind.
-- data, metadata: JSON, as it was appended.
CREATE TABLE {schema}.events (
	position bigint PRIMARY KEY,
	stream text COLLATE "C" NOT NULL,
	version bigint NOT NULL,
	id text COLLATE "C" NOT NULL,
	type text COLLATE "C" NOT NULL,
	schema_version bigint NOT NULL,
	recorded_at bigint NOT NULL,
	data text NOT NULL,
	metadata text NOT NULL
) PARTITION BY RANGE (position);
CREATE TABLE {schema}.events_1 PARTITION OF {schema}.events FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
CREATE INDEX events_by_stream ON {schema}.events (stream, version);

CREATE TABLE {schema}.checkpoints (name text COLLATE "C" PRIMARY KEY, position text NOT NULL);

CREATE TABLE {schema}.leases (
	name text COLLATE "C" PRIMARY KEY,
	owner text COLLATE "C" NOT NULL,
	fencing_token bigint NOT NULL,
	expires_at bigint NOT NULL
);

CREATE TABLE {schema}.snapshots (name text COLLATE "C" PRIMARY KEY, sha256 text NOT NULL, snapshot text NOT NULL);

-- Decides a batch of appends and adds the events of those that are accepted. Appends come in the order of their streams,
-- each stream once; wanted: the expected version, 0 for none, -1 for any; places: of each append's last event among all.
-- Texts are lines, because none of them has a line feed, and lines need no escaping.
-- A function, because its plans stay with the connection, also through a pooler; enable_seqscan, because they are made while
-- the tables are small. lock_timeout: whoever holds a stream for longer fails its appends, and not those that came with them.
CREATE FUNCTION {schema}.append_events(
	stream_lines text, wanted bigint[], counts integer[], places integer[],
	event_appends integer[], event_aheads integer[], event_streams text, event_ids text, event_types text,
	event_schema_versions bigint[], event_times bigint[], event_data text, event_metadata text
) RETURNS TABLE (before bigint, actual bigint, actual_position bigint, is_younger boolean, last_position bigint, is_behind_others boolean)
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off SET lock_timeout = '5s' AS $append$
#variable_conflict use_column
DECLARE
	is_first boolean := pg_current_xact_id_if_assigned() IS NULL;
	own xid8 := pg_current_xact_id();
	others boolean := pg_snapshot_xmin(pg_current_snapshot()) < own;
	stream_names text[] := string_to_array(stream_lines, E'\\n');
	first bigint;
	free bigint;
	befores bigint[];
	actuals bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(places)]);
	stands bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(places)]);
	found_version bigint;
	found_position bigint;
BEGIN
	SELECT (own::text::bigint + transaction_offset) << 20 INTO STRICT first FROM {schema}.log WHERE only_row;
	free := first;
	IF NOT is_first THEN
		-- Behind what this transaction has appended before.
		SELECT coalesce(max(position) + 1, first) INTO STRICT free
		FROM {schema}.events WHERE position >= first AND position < first + (1 << 20);
	END IF;
	IF free + cardinality(event_appends) > first + (1 << 20) THEN
		RAISE EXCEPTION 'too many events in one transaction' USING ERRCODE = 'program_limit_exceeded';
	END IF;

	WITH made AS (
		INSERT INTO {schema}.streams (stream, version, position)
		SELECT w.name, w.events, free + w.place
		FROM unnest(stream_names, wanted, counts, places) WITH ORDINALITY AS w (name, expected, events, place, nth)
		WHERE w.expected <= 0 ORDER BY w.nth
		ON CONFLICT DO NOTHING
		RETURNING position
	)
	SELECT array_agg(CASE WHEN m.position IS NULL THEN NULL ELSE 0 END ORDER BY w.nth) INTO STRICT befores
	FROM unnest(places) WITH ORDINALITY AS w (place, nth) LEFT JOIN made m ON m.position = free + w.place;

	FOR i IN 1 .. CASE WHEN array_position(befores, NULL) IS NULL THEN 0 ELSE cardinality(befores) END LOOP
		CONTINUE WHEN befores[i] IS NOT NULL;
		SELECT version, position INTO found_version, found_position
		FROM {schema}.streams WHERE stream = stream_names[i] FOR UPDATE;
		CONTINUE WHEN NOT FOUND;
		actuals[i] := found_version;
		stands[i] := found_position;
		-- An event never stands before one of its stream that is there already.
		CONTINUE WHEN wanted[i] NOT IN (-1, found_version) OR found_position >= first + (1 << 20);
		UPDATE {schema}.streams SET version = found_version + counts[i], position = free + places[i]
		WHERE stream = stream_names[i];
		befores[i] := found_version;
	END LOOP;

	INSERT INTO {schema}.events (position, stream, version, id, type, schema_version, recorded_at, data, metadata)
	SELECT free + e.place - 1, e.name, befores[e.nth] + e.ahead, e.id, e.type, e.schema_version, e.recorded_at, e.data, e.metadata
	FROM unnest(
		event_appends, event_aheads, string_to_array(event_streams, E'\\n'), string_to_array(event_ids, E'\\n'),
		string_to_array(event_types, E'\\n'), event_schema_versions, event_times,
		string_to_array(event_data, E'\\n'), string_to_array(event_metadata, E'\\n'))
		WITH ORDINALITY AS e (nth, ahead, name, id, type, schema_version, recorded_at, data, metadata, place)
	WHERE befores[e.nth] IS NOT NULL;

	RETURN QUERY SELECT w.before, w.actual, w.stand, w.stand >= first + (1 << 20), free + w.place, others
	FROM unnest(befores, actuals, stands, places) AS w (before, actual, stand, place);
END
$append$;
`;

export const MIGRATIONS: readonly string[] = [FIRST];
