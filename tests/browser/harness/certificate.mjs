// A throw-away certificate for the test sites, and the hash by which the browser is told to trust
// exactly this key. Nothing else about the browser's certificate checks is relaxed.

import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function makeCertificate(hostnames) {
  const folder = mkdtempSync(join(tmpdir(), 'iiif-certificate-'));
  try {
    const key = join(folder, 'key.pem');
    const cert = join(folder, 'cert.pem');
    execFileSync(
      'openssl',
      [
        'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
        '-days', '7', '-subj', '/CN=browser tests',
        '-addext', `subjectAltName=${hostnames.map((name) => `DNS:${name}`).join(',')}`,
        '-keyout', key, '-out', cert,
      ],
      { stdio: 'pipe' },
    );
    const certPem = readFileSync(cert);
    const publicKey = new X509Certificate(certPem).publicKey.export({ type: 'spki', format: 'der' });
    return {
      key: readFileSync(key),
      cert: certPem,
      spkiHash: createHash('sha256').update(publicKey).digest('base64'),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
