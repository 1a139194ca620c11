// The service worker: keeps one shell whole, serves it offline, and touches nothing else.
/* global __BUILD__, __FILES__, __SHELL__ */
const CACHE = `shell-${__BUILD__}`;
const FILES = __FILES__;
const SHELL = __SHELL__;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES.map((file) => new Request(file, { cache: "no-cache" })))));
});

// The shell before this one stays: a second tab may still run it, and ask for a part that it has not read yet.
self.addEventListener("activate", (event) => {
  const tidy = async () => {
    const others = (await caches.keys()).filter((name) => name.startsWith("shell-") && name !== CACHE);
    await Promise.all(others.slice(0, -1).map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(tidy());
});

self.addEventListener("message", (event) => {
  if (event.data?.type === "apply_update") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || !url.pathname.startsWith("/app/")) return;
  event.respondWith(request.mode === "navigate" ? kept(SHELL, request) : kept(request, request));
});

/** Ours first, then the shell before, then the server. */
async function kept(wanted, request) {
  const own = await caches.open(CACHE);
  return (await own.match(wanted, { ignoreSearch: true })) ?? (await caches.match(wanted, { ignoreSearch: true })) ?? fetch(request);
}
