// A throw-away authority and a certificate of its making: for servers that check certificates and can be
// told whom to trust. The browser is told the certificate's key, as everywhere in this suite.

import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `caFile` is there until this process ends its own clean-up: tell it to servers under test. */
export function makeAuthority(hostnames) {
  const folder = mkdtempSync(join(tmpdir(), 'iiif-authority-'));
  const file = (name) => join(folder, name);
  const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...newKey, '-days', '7', '-subj', '/CN=browser tests authority',
    '-addext', 'keyUsage=critical,keyCertSign', '-keyout', file('ca-key.pem'), '-out', file('ca.pem'));
  openssl('req', ...newKey, '-subj', '/CN=browser tests', '-keyout', file('key.pem'), '-out', file('request.pem'));
  writeFileSync(file('extensions'), [
    'basicConstraints=critical,CA:FALSE',
    'extendedKeyUsage=serverAuth',
    `subjectAltName=${hostnames.map((name) => `DNS:${name}`).join(',')}`,
  ].join('\n'));
  openssl('x509', '-req', '-in', file('request.pem'), '-CA', file('ca.pem'), '-CAkey', file('ca-key.pem'),
    '-CAcreateserial', '-days', '7', '-extfile', file('extensions'), '-out', file('cert.pem'));
  const cert = readFileSync(file('cert.pem'));
  const publicKey = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' });
  return {
    folder,
    caFile: file('ca.pem'),
    key: readFileSync(file('key.pem')),
    cert,
    spkiHash: createHash('sha256').update(publicKey).digest('base64'),
  };
}
