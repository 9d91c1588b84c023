// Reading descriptions: which services a resource declares, and how they nest.
// probe > access > token and logout. No URI of a service is known beforehand.

export const PROFILES = ["external", "kiosk", "active"];

const list = (value) => (value === undefined || value === null ? [] : [value].flat());
const typed = (host, type) => list(host?.service).filter((service) => service?.type === type);

export function probesOf(host) {
  return typed(host, "AuthProbeService2");
}

/** The access services of a probe, those that need least of the user first. */
export function accessesOf(probe) {
  return typed(probe, "AuthAccessService2")
    .filter((access) => tokenOf(access))
    .sort((a, b) => PROFILES.indexOf(a.profile) - PROFILES.indexOf(b.profile));
}

export function tokenOf(access) {
  return typed(access, "AuthAccessTokenService2")[0];
}

export function logoutOf(access) {
  return typed(access, "AuthLogoutService2")[0];
}

/** The URI of the image service that belongs to a content resource, if any. */
export function imageServiceOf(content) {
  const service = list(content?.service).find((candidate) =>
    /^ImageService[23]$/.test(candidate?.type ?? candidate?.["@type"] ?? ""),
  );
  const id = service?.id ?? service?.["@id"];
  if (id) return id;
  return content?.id?.endsWith("/info.json") ? content.id.slice(0, -"/info.json".length) : undefined;
}
