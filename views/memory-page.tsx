import type { FC } from 'hono/jsx';
import { Band, type BandProps } from './band.js';
import { FindingList, type FindingListProps } from './finding.js';
import { HoldingTable, type HoldingTableProps } from './holding.js';
import { type Chrome, Layout } from './layout.js';
import { MemoryBar, type MemoryBarProps } from './memory-bar.js';

export interface HoldersProps {
  /** null: nothing is known yet. */
  readonly bar: MemoryBarProps | null;
  /** How sure it is and when it was read, in a sentence. */
  readonly about: string;
  readonly tables: readonly HoldingTableProps[];
  /** Where all of it is told; null on that page. */
  readonly more: { readonly href: string; readonly label: string } | null;
}

export interface MemoryProps {
  readonly name: string;
  readonly band: BandProps;
  readonly findings: FindingListProps;
  readonly holders: HoldersProps;
  /** One for each process. */
  readonly nodes: readonly HoldingTableProps[];
}

/** Where the memory of one Redis is: who holds it, as what, and what lies beside queues. */
export const MemoryPage: FC<{ readonly chrome: Chrome; readonly view: MemoryProps }> = ({ chrome, view }) => (
  <Layout chrome={chrome}>
    <h1>Memory of Redis {view.name}</h1>
    <div class="bands">
      <Band {...view.band} />
    </div>
    <section class="findings-section" aria-labelledby="findings-title">
      <h2 id="findings-title">What is wrong with it</h2>
      <FindingList {...view.findings} />
    </section>
    <Holders {...view.holders} />
    <NodeMemories nodes={view.nodes} />
  </Layout>
);

/** Who holds the memory: the bar, and the tables that say the same. */
export const Holders: FC<HoldersProps> = ({ bar, about, tables, more }) => (
  <section class="panel holders" id="memory-holders" aria-labelledby="memory-holders-title">
    <h2 id="memory-holders-title">Where the memory is</h2>
    {bar ? <MemoryBar {...bar} /> : null}
    <p class="hint">{about}</p>
    <div class="holding-tables">
      {tables.map((table) => (
        <HoldingTable {...table} />
      ))}
    </div>
    {more ? (
      <p>
        <a class="button" href={more.href}>
          {more.label}
        </a>
      </p>
    ) : null}
  </section>
);

export const NodeMemories: FC<{ readonly nodes: readonly HoldingTableProps[] }> = ({ nodes }) => (
  <section class="panel" id="memory-nodes" aria-labelledby="memory-nodes-title">
    <h2 id="memory-nodes-title">Queues and what is beside them</h2>
    <div class="holding-tables">
      {nodes.map((node) => (
        <HoldingTable {...node} />
      ))}
    </div>
  </section>
);
