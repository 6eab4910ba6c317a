import { type Client, createClient, type InValue, LibsqlError } from '@libsql/client/sqlite3';
import {
  type Compilable,
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { type Database, LeaseLost, PLUGINS, storable } from './database.js';
import { migrateSqlite } from './migrate.js';
import { BUSY_TIMEOUT_MS, patientClient } from './patient-client.js';

/**
 * Opens a SQLite file, `file:…`, or one in memory, `:memory:`, and brings its tables up to date.
 * @throws what keeps it from being read or written.
 */
export async function openSqlite(url: string): Promise<Database> {
  const client = sqliteClient(url);
  try {
    // A reader never waits for a writer, and a kill at any moment loses no committed record.
    if (url !== ':memory:') await client.execute('PRAGMA journal_mode = WAL');
    await migrateSqlite(client);
  } catch (error) {
    client.close();
    throw error;
  }
  const kysely = new Kysely<unknown>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => driverOf(client),
      createIntrospector: (any) => new SqliteIntrospector(any),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
    plugins: PLUGINS,
  });
  return {
    engine: 'sqlite',
    withTables: <Tables>() => kysely as unknown as Kysely<Tables>,
    async atomically(statements, fence) {
      // Where another holds the lease this breaks a constraint, which rolls all of it back: SQLite has no other way to end a
      // transaction without a row to write.
      const mustHold = fence && {
        sql: 'UPDATE leases SET holder = NULL WHERE name = ? AND holder <> ?',
        args: [fence.lease, fence.holder],
      };
      try {
        // In one turn of the event loop: nobody else waits for a file that this console has locked.
        await client.batch([...(mustHold ? [mustHold] : []), ...statements.map(asStatement)], 'write');
      } catch (error) {
        if (error instanceof LibsqlError && error.message.includes('leases.holder')) throw new LeaseLost();
        throw error;
      }
    },
    close: () => client.close(),
  };
}

function sqliteClient(url: string): Client {
  if (url === ':memory:') return createClient({ url });
  // For each connection of the pool: a console that shares the file may be writing.
  return patientClient(createClient({ url, timeout: BUSY_TIMEOUT_MS }), async () => undefined);
}

function asStatement(query: Compilable | CompiledQuery) {
  const { sql, parameters } = 'compile' in query ? query.compile() : query;
  return { sql, args: parameters.map(storable) as InValue[] };
}

/** Each statement is one call, which takes a connection and gives it back; what belongs together goes through `atomically`. */
function driverOf(client: Client): Driver {
  const connection: DatabaseConnection = {
    async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
      const { rows, rowsAffected } = await client.execute(asStatement(query));
      return { rows: rows as unknown as Row[], numAffectedRows: BigInt(rowsAffected) };
    },
    // biome-ignore lint/correctness/useYield: libSQL gives all rows at once, and no table is read so.
    async *streamQuery() {
      throw new Error('rows of SQLite are not streamed');
    },
  };
  const refuse = () => Promise.reject(new Error('what belongs together goes through atomically()'));
  return {
    init: async () => undefined,
    acquireConnection: async () => connection,
    releaseConnection: async () => undefined,
    beginTransaction: refuse,
    commitTransaction: refuse,
    rollbackTransaction: refuse,
    destroy: async () => undefined,
  };
}
