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
-- each stream once; wanted: the expected version, 0 for none, -1 for any; counts: events of each; places: of its last event
-- among all. Texts are lines, because none of them has a line feed, and lines need no escaping.
-- Returns, with spaces between: when the server was started, the first position of this transaction, the first that was free in
-- it, its id, what was open when it began (a pg_snapshot; nothing: no other), and lists with commas of what each append found:
-- the version that it goes on from; where it does not go on, the stream's version, and its position.
-- A function, because its plans stay with the connection, also through a pooler; enable_seqscan, because they are made while
-- the tables are small; one text, because a row for each append costs as much as adding it.
-- lock_timeout: whoever holds a stream for longer fails its appends, and not those that came with them.
CREATE FUNCTION {schema}.append_events(
	stream_lines text, wanted bigint[], counts integer[], places integer[],
	event_appends integer[], event_aheads integer[], event_id_lines text, event_type_lines text,
	event_schema_versions bigint[], event_times bigint[], event_data_lines text, event_metadata_lines text
) RETURNS text
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan SET lock_timeout = '5s' AS $append$
#variable_conflict use_column
DECLARE
	is_first boolean := pg_current_xact_id_if_assigned() IS NULL;
	own xid8 := pg_current_xact_id();
	began pg_snapshot := pg_current_snapshot();
	stream_names text[] := string_to_array(stream_lines, E'\\n');
	event_ids text[] := string_to_array(event_id_lines, E'\\n');
	event_types text[] := string_to_array(event_type_lines, E'\\n');
	event_data text[] := string_to_array(event_data_lines, E'\\n');
	event_metadata text[] := string_to_array(event_metadata_lines, E'\\n');
	first bigint;
	free bigint;
	made integer;
	are_made boolean;
	befores bigint[] := array_fill(0::bigint, ARRAY[cardinality(places)]);
	actuals bigint[];
	stands bigint[];
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

	INSERT INTO {schema}.streams (stream, version, position)
	SELECT stream_names[nth], counts[nth], free + places[nth]
	FROM generate_series(1, cardinality(places)) AS nth WHERE wanted[nth] <= 0
	ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS made = ROW_COUNT;

	IF made < cardinality(places) THEN
		are_made := made = (SELECT count(*) FROM unnest(wanted) AS expected WHERE expected <= 0);
		befores := array_fill(NULL::bigint, ARRAY[cardinality(places)]);
		actuals := befores;
		stands := befores;
		FOR i IN 1 .. cardinality(places) LOOP
			IF are_made AND wanted[i] <= 0 THEN
				befores[i] := 0;
				CONTINUE;
			END IF;
			SELECT version, position INTO found_version, found_position
			FROM {schema}.streams WHERE stream = stream_names[i] FOR UPDATE;
			CONTINUE WHEN NOT FOUND;
			IF found_position = free + places[i] THEN
				befores[i] := 0;
				CONTINUE;
			END IF;
			actuals[i] := found_version;
			stands[i] := found_position;
			-- An event never stands before one of its stream that is there already.
			CONTINUE WHEN wanted[i] NOT IN (-1, found_version) OR found_position >= first + (1 << 20);
			UPDATE {schema}.streams SET version = found_version + counts[i], position = free + places[i]
			WHERE stream = stream_names[i];
			befores[i] := found_version;
		END LOOP;
	END IF;

	INSERT INTO {schema}.events (position, stream, version, id, type, schema_version, recorded_at, data, metadata)
	SELECT free + nth - 1, stream_names[event_appends[nth]], befores[event_appends[nth]] + event_aheads[nth],
		event_ids[nth], event_types[nth], event_schema_versions[nth], event_times[nth], event_data[nth], event_metadata[nth]
	FROM generate_series(1, cardinality(event_appends)) AS nth WHERE befores[event_appends[nth]] IS NOT NULL;

	RETURN concat_ws(' ', extract(epoch FROM pg_postmaster_start_time()), first, free, own,
		CASE WHEN pg_snapshot_xmin(began) < own THEN began::text ELSE '' END,
		array_to_string(befores, ',', ''), coalesce(array_to_string(actuals, ',', ''), ''),
		coalesce(array_to_string(stands, ',', ''), ''));
END
$append$;
`;

export const MIGRATIONS: readonly string[] = [FIRST];
