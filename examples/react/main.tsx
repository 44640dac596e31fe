import { createRoot } from 'react-dom/client';
import { Room } from './Room.js';

const { searchParams } = new URL(location.href);
const userName = searchParams.get('name') ?? 'Somebody';
const url = searchParams.get('server') ?? `${location.origin.replace('http', 'ws')}/webrtc`;
const root = document.getElementById('root');
if (root) createRoot(root).render(<Room url={url} roomId="react" userId={userName} userName={userName} />);
