import { OneAccount } from './account';
import { CameraWhy, ChoosePin, Confirm, First, Kinds, Method, Notify, Problem, Scan, TypeWork } from './enrol';
import { Settings } from './settings';
import { Evicted } from './evicted';
import { Privacy } from './start';
import { accounts, lost, type Screen } from './state';

/** The screens that come as a chunk of their own: a person adds accounts seldom, and approves daily. */
export function Seldom({ now }: { now: Screen | { at: 'notice' } }) {
  switch (now.at) {
    case 'kind': return <Kinds />;
    case 'method': return <Method />;
    case 'camera': return <CameraWhy adding={now.adding} />;
    case 'scan': return <Scan adding={now.adding} />;
    case 'type': return <TypeWork error={now.error} before={now.code} />;
    case 'confirm': return <Confirm binding={now.binding} error={now.error} />;
    case 'pin': return <ChoosePin binding={now.binding} />;
    case 'notify': return <Notify binding={now.binding} />;
    case 'problem': return <Problem say={now.say} again={now.again} />;
    case 'account': return <OneAccount id={now.id} />;
    case 'settings': return <Settings />;
    case 'privacy': return <Privacy />;
    case 'notice': case 'evicted': case 'password': case 'ways': case 'unsupported': return <Evicted now={now} />;
    default: return lost.value && accounts.value.length === 0 ? <Evicted now={{ at: 'evicted' }} /> : <First />;
  }
}

export { begin } from './bind';
