import { createRoot } from 'react-dom/client';
import { useCurrentAuth } from 'react-iiif-vault';
import { CanvasPanel } from 'react-iiif-vault/canvas-panel';

const inOneLanguage = (map = {}) => (map.en ?? Object.values(map)[0] ?? []).join(' ');

function Bar() {
  const { authItems, currentAuth, login, logout } = useCurrentAuth();
  const item = authItems[currentAuth];
  if (!item) return <div id="bar">Nothing to log in to</div>;
  return (
    <div id="bar">
      <span>{inOneLanguage(item.service.label)}</span>
      {item.isLoggedIn
        ? <button id="logout" onClick={logout}>Log out</button>
        : <button id="login" onClick={login} disabled={item.isPending}>Log in</button>}
      {'error' in item && <span id="error">Logging in did not work. {item.error}</span>}
    </div>
  );
}

const manifest = new URLSearchParams(window.location.search).get('manifest');

createRoot(document.getElementById('root')).render(
  <div id="panel">
    <CanvasPanel manifest={manifest} height={700} header={<Bar />} />
  </div>,
);
