-- Creates the application's role and gives it its database; the server's superuser runs this with psql.
-- Docker's image runs it when it fills an empty volume, the native stack at each start. Running it again
-- also upgrades a database whose tables still belong to the superuser.
-- Environment: APP_USER, APP_PASSWORD, APP_DB; APP_ROLE_OPTIONS is CREATEDB where tests make databases.
-- With SUPERUSER_PASSWORD the superuser gets that password. Both may come as files: APP_PASSWORD_FILE.

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

-- Otherwise the script would take its own superuser's privileges away.
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
-- 10 is the server's first superuser, whose system objects stay its own.
SELECT pg_get_userbyid(datdba) AS former, datdba <> 10 AND pg_get_userbyid(datdba) NOT IN (current_user, :'role') AS is_renamed
FROM pg_database WHERE datname = :'database' \gset
ALTER DATABASE :"database" OWNER TO :"role";
-- Every role of the server could connect otherwise.
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;

\connect :"database"

-- The application's role had another name.
\if :is_renamed
  REASSIGN OWNED BY :"former" TO :"role";
\endif

-- An older database's objects. Extensions stay the superuser's; a sequence of a column follows its table.
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
