-- Creates the application's role and its database. The superuser of the server runs this script with psql:
-- the Docker image once, when the volume is empty, and the native stack at each start.
-- It also upgrades a database whose tables belong to the superuser.
-- Environment: APP_USER, APP_PASSWORD, APP_DB, and APP_ROLE_OPTIONS, which is CREATEDB for tests.
-- SUPERUSER_PASSWORD, if set, becomes the superuser's password. Passwords can be files: APP_PASSWORD_FILE.

\set ON_ERROR_STOP on
\set QUIET on
\getenv role APP_USER
\getenv password APP_PASSWORD
\getenv file APP_PASSWORD_FILE
\if :{?file}
  \set password `cat "$APP_PASSWORD_FILE"`
\endif
\getenv superuser_password SUPERUSER_PASSWORD
\getenv superuser_file SUPERUSER_PASSWORD_FILE
\if :{?superuser_file}
  \set superuser_password `cat "$SUPERUSER_PASSWORD_FILE"`
\endif
\getenv database APP_DB
\set options ''
\getenv options APP_ROLE_OPTIONS

-- In this case, the script would remove the privileges of the superuser that runs it.
SELECT :'role' = current_user AS is_superuser \gset
\if :is_superuser
  DO $$ BEGIN RAISE 'POSTGRES_USER is the superuser of the database server: choose another name'; END $$;
\endif

\if :{?superuser_password}
  ALTER ROLE CURRENT_USER PASSWORD :'superuser_password';
\endif

SELECT format('CREATE ROLE %I', :'role')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \gexec
ALTER ROLE :"role" LOGIN NOSUPERUSER NOCREATEROLE NOREPLICATION NOBYPASSRLS NOCREATEDB PASSWORD :'password';
ALTER ROLE :"role" :options;

SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'role')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
-- 10 is the OID of the first superuser, which must keep the system objects.
SELECT pg_get_userbyid(datdba) AS former, datdba <> 10 AND pg_get_userbyid(datdba) NOT IN (current_user, :'role') AS is_renamed
FROM pg_database WHERE datname = :'database' \gset
ALTER DATABASE :"database" OWNER TO :"role";
-- By default every role of the server may connect to the database.
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;

\connect :"database"

-- The database belongs to an earlier POSTGRES_USER.
\if :is_renamed
  REASSIGN OWNED BY :"former" TO :"role";
\endif

-- Change the owner of the objects of an older database. Extensions stay with the superuser, and sequences of columns
-- follow their table.
SELECT format('ALTER SCHEMA %I OWNER TO %I', nspname, :'role')
FROM pg_namespace
WHERE nspowner = current_user::regrole AND nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public') \gexec

SELECT format('ALTER %s %s OWNER TO %I', kind, object, :'role')
FROM (
  SELECT 'pg_class'::regclass AS catalog, oid, relnamespace AS namespace, relowner AS owner, oid::regclass::text AS object,
    CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind
  FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S')
  UNION ALL
  SELECT 'pg_type'::regclass, oid, typnamespace, typowner, oid::regtype::text, 'TYPE'
  FROM pg_type
  WHERE typtype IN ('e', 'd', 'r')
    OR (typtype = 'c' AND EXISTS (SELECT FROM pg_class WHERE pg_class.oid = typrelid AND relkind = 'c'))
  UNION ALL
  SELECT 'pg_proc'::regclass, oid, pronamespace, proowner, oid::regprocedure::text, 'ROUTINE'
  FROM pg_proc
) AS owned
WHERE owner = current_user::regrole
  AND namespace IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
  AND NOT EXISTS (
    SELECT FROM pg_depend
    WHERE classid = catalog AND objid = owned.oid AND refobjid <> objid AND deptype IN ('a', 'i', 'e')
  )
\gexec
