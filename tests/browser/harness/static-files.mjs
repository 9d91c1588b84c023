// The viewers: a few files from memory.

export const pathOf = (request) => request.url.split('?')[0];

export function serveFiles(files) {
  return (request, response) => {
    const file = files.get(pathOf(request));
    if (!file) {
      response.writeHead(404, { 'content-type': 'text/plain' });
      return response.end('no such file\n');
    }
    response.writeHead(200, { 'content-type': file.type, 'cache-control': 'no-store', ...file.headers });
    response.end(file.body);
  };
}

export const html = (body) => ({ type: 'text/html; charset=utf-8', body });
export const script = (body) => ({ type: 'text/javascript; charset=utf-8', body });
export const css = (body) => ({ type: 'text/css; charset=utf-8', body });
