import { loadOtherWords } from '../../generated/others';
import { learn } from '../words';
import { Method, Scanned, Summary, type SummaryOf, Type } from './add';
import { List, One } from './list';
import { Export, Guarded, Import, Manage, Order } from './manage';
import { load } from './vault';

export { takeIn } from './add';
export { opened, wipe } from './vault';

export type OthersScreen =
  /** Below the work accounts. */
  | { at: 'list' }
  /** In the settings. */
  | { at: 'guard' }
  | { at: 'method' }
  | { at: 'type' }
  /** What a picture said. */
  | { at: 'scanned'; text: string }
  | ({ at: 'summary' } & SummaryOf)
  | { at: 'one'; id: string }
  | { at: 'manage' }
  | { at: 'order' }
  | { at: 'export' }
  | { at: 'import' };

/** Everything of other accounts comes as a chunk of its own: many have none. */
export const ready: Promise<unknown> = Promise.all([learn(loadOtherWords), load()]);

export function Others({ show }: { show: OthersScreen }) {
  switch (show.at) {
    case 'list': return <List />;
    case 'guard': return <Guarded />;
    case 'method': return <Method />;
    case 'type': return <Type />;
    case 'scanned': return <Scanned key={show.text} text={show.text} />;
    case 'summary': return <Summary {...show} />;
    case 'one': return <One id={show.id} />;
    case 'manage': return <Manage />;
    case 'order': return <Order />;
    case 'export': return <Export />;
    case 'import': return <Import />;
  }
}
