"""Weekly inbox partitions, made and dropped by functions of the owner: the service's role owns no table.

A duplicate always lands in its first delivery's partition, because the day is read from the UUIDv7 itself.
Rows outside every week (very old ids of a compacted topic) live in the default partition.
"""

from typing import Final

_MAKE: Final = """
CREATE FUNCTION inbox_make_partitions(first_day date, last_day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  week date := date_trunc('week', first_day)::date;
  name text;
  made integer := 0;
BEGIN
  IF last_day - first_day > 800 THEN
    RAISE EXCEPTION 'more than 800 days of inbox partitions asked for';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtext('inbox partitions'));
  WHILE week <= last_day LOOP
    name := 'inbox_' || to_char(week, 'YYYYMMDD');
    IF to_regclass('public.' || name) IS NULL THEN
      BEGIN
        EXECUTE format('CREATE TABLE public.%I PARTITION OF public.inbox FOR VALUES FROM (%L) TO (%L)',
                       name, week, week + 7);
        made := made + 1;
      EXCEPTION WHEN check_violation THEN
        NULL;  -- rows of that week are in the default partition already: it goes on serving the week
      END;
    END IF;
    week := week + 7;
  END LOOP;
  RETURN made;
END $$"""

_DROP: Final = """
CREATE FUNCTION inbox_drop_partitions(before_day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  child text;
  dropped integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('inbox partitions'));
  FOR child IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'public.inbox'::regclass AND c.relname ~ '^inbox_[0-9]{8}$'
      AND to_date(right(c.relname, 8), 'YYYYMMDD') + 7 <= before_day
  LOOP
    EXECUTE format('DROP TABLE public.%I', child);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END $$"""

CREATE_FUNCTIONS: Final = (_MAKE, _DROP)
DROP_FUNCTIONS: Final = (
    "DROP FUNCTION inbox_make_partitions(date, date)",
    "DROP FUNCTION inbox_drop_partitions(date)",
)
