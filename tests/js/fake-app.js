// The facade in memory, for looking at screens without store or server. Nothing here is shipped.

const TITLES = ["Đọc và cập nhật thông tin", "Kế hoạch học tập", "Tham gia hoạt động cộng đồng", "Khuyến khích người thân, đồng nghiệp học tập", "Sử dụng công nghệ thông tin", "Sử dụng ngôn ngữ, ngoại ngữ", "Tính toán, cải tiến công việc", "Tư duy biện chứng, phản biện", "Xây dựng quan hệ thân thiện", "Hợp tác, chia sẻ"];
const COMPETENCES = ["I. Tự học, học tập suốt đời", "II. Sử dụng công cụ học tập, làm việc", "III. Quan hệ xã hội"];
const NAMES = ["Hoàng Thị Mẩy", "Nguyễn Thị Hoàng Phương Thảo Vy", "Lương Văn Cao", "Triệu Mùi Pham", "Đặng Văn Sính", "Lý Thị Đào", "Nông Đức Thắng", "Vi Văn Páo"];
const STATES = ["draft", "none", "submitted", "returned", "appraised", "eligible", "decided", "not_eligible"];
const GUIDE = { "1-4": "Mới nghe người khác làm, chưa tự làm được.", "5-6": "Tự làm được việc quen, còn cần người chỉ thêm.", "7-8": "Tự làm được việc trên điện thoại, giúp được người khác.", "9-10": "Làm thành thạo, chỉ lại cho nhiều người trong thôn.", photos: "trả tiền bằng điện thoại, nộp hồ sơ qua mạng, bán nông sản qua mạng." };

const fold = (text) => text.toLowerCase().replaceAll("đ", "d").normalize("NFD").replace(/\p{M}/gu, "");

/** @param {{people?: number, role?: string, paired?: boolean, signal?: string, round?: string, waiting?: number, who?: boolean}} o */
export function createFakeApp(o = {}) {
  const listeners = new Set();
  const drafts = new Map();
  const pictures = new Map();
  const me = { id: "p1", name: "Lương Văn Cao", role: o.role ?? "chapter", place: "Thôn Khe Pặn Giữa", citizen: o.role === "citizen" ? "c0" : null };
  let returnTo = null;
  const people = Array.from({ length: o.people ?? 8 }, (_, n) => ({ id: `c${n}`, full_name: NAMES[n % NAMES.length], birth_year: 1950 + (n * 7) % 50, group: 1 + (n % 3), placeName: me.place, dossierState: STATES[n % STATES.length], photoCount: (n * 3) % 11, waiting: n % 4 === 0 ? 2 : 0 }));
  const state = {
    ready: true, paired: o.paired ?? true, device: { id: "d", name: "Redmi 9A" }, people: [me, { id: "p2", name: "Hoàng Thị Mẩy", role: "citizen", place: me.place, citizen: "c0" }], me: o.who ? null : me, year: 2026,
    offlineReady: true, signal: o.signal ?? "no", authNeeded: false, revoked: false, tooOld: false, wrongClock: false, round: o.round ?? "idle", photosSent: 2, photosTotal: 5, bytesLeft: 612000, etaSeconds: 41,
    waiting: { mutations: o.waiting ?? 3, photos: o.waiting ?? 3, bytes: 551000, oldestAt: "2026-11-22T07:10:00.000Z" }, storage: { freeBytes: 812e6, persisted: false, low: false }, photoPolicy: "now", paused: false, error: null, notices: [],
  };
  const dossiers = new Map(people.map((p, n) => [p.id, dossierOf(p, n)]));
  const changed = () => { for (const fn of listeners) fn(); };
  const find = (photoId) => {
    for (const d of dossiers.values()) for (const i of d.indicators) { const at = i.photos.findIndex((p) => p.id === photoId); if (at >= 0) return { d, i, at, photo: i.photos[at] }; }
    return null;
  };
  return {
    subscribe: (fn) => { listeners.add(fn); return () => listeners.delete(fn); },
    status: () => ({ ...state }),
    start: async () => {}, go: async () => {},
    pair: async ({ code }) => { if (code === "BADCODE2") throw Object.assign(new Error(), { code: "pair.unknown" }); state.paired = true; changed(); return { ok: true }; },
    choosePerson: async (id) => { state.me = state.people.find((p) => p.id === id); changed(); },
    setPhotoPolicy: async (p) => { state.photoPolicy = p; changed(); },
    pause: async () => { state.paused = true; changed(); }, resume: async () => { state.paused = false; changed(); }, sendNow: async () => {},
    searchPeople: async (text) => people.filter((p) => fold(p.full_name).includes(fold(text ?? ""))),
    registerCitizen: async (c) => { const p = { id: `c${people.length}`, ...c, placeName: me.place, dossierState: "none", photoCount: 0, waiting: 1 }; people.push(p); dossiers.set(p.id, dossierOf(p, 1)); changed(); return p.id; },
    dossier: async (id) => dossiers.get(id) ?? null,
    setFields: async (id, _type, fields) => { for (const [key, value] of Object.entries(fields)) { const [name, no] = key.split("."); dossiers.get(id.replace("d-", "")).indicators[no - 1][name] = value; } changed(); },
    addPhoto: async (p) => { const id = `e${Math.random()}`; pictures.set(id, URL.createObjectURL(new Blob([p.bytes], { type: p.type }))); dossiers.get(p.citizenId).indicators[p.indicator - 1].photos.push({ id, sha256: id, caption: p.caption ?? "", kind: p.kind, captured_at: p.captured_at, source: p.source, bytes: p.bytes.byteLength, status: "waiting", mine: true, canRemove: true }); changed(); return { id }; },
    basisOf: async () => ({ rev: 0, fields: {} }),
    setCaption: async (id, text) => { find(id).photo.caption = text; changed(); },
    movePhoto: async (id, to) => { const { i, at, photo } = find(id); i.photos.splice(at, 1); dossiers.get(to.citizenId).indicators[to.indicator - 1].photos.push(photo); changed(); },
    removePhoto: async (id) => { const { i, at, photo } = find(id); i.photos.splice(at, 1); changed(); return { i, at, photo }; },
    undo: async ({ i, at, photo }) => { i.photos.splice(at, 0, photo); changed(); },
    submit: async (id) => { dossiers.get(id).state = "submitted"; dossiers.get(id).editable = false; changed(); },
    withdraw: async (id) => { dossiers.get(id).state = "draft"; dossiers.get(id).editable = true; changed(); },
    appraise: async (id, { scores }) => { const d = dossiers.get(id); d.state = "appraised"; for (const i of d.indicators) i.chapter = scores[i.no]; changed(); },
    reopen: async (id) => { dossiers.get(id).state = "submitted"; changed(); },
    queue: async () => (state.waiting.photos ? [{ personName: NAMES[1], citizenId: "c1", items: [{ kind: "text", label: "", state: "waiting", reason: "no_signal", at: "2026-11-24T07:10:00.000Z", bytes: 600 }, { kind: "photo", label: "Chỉ số 5", sha256: "s1", state: "sending", reason: null, at: "2026-11-24T07:12:00.000Z", bytes: 183000 }, { kind: "photo", label: "Chỉ số 3", sha256: "none", state: "received", reason: null, at: "2026-11-24T07:12:00.000Z", bytes: 201000 }] }] : []),
    photoUrl: async (sha) => pictures.get(sha) ?? (sha === "none" ? null : "/sample.jpg"),
    hamletPhotosPlan: async () => ({ bytes: 34e6, count: 212 }), downloadHamletPhotos: async () => {},
    draft: async (key) => drafts.get(key), saveDraft: async (key, value) => drafts.set(key, value), clearDraft: async (key) => drafts.delete(key),
    returnTo: async () => returnTo, setReturnTo: async (value) => { returnTo = value; },
    conflicts: async () => [], conflict: async () => null, talk: async () => [], say: async () => {}, talkSeen: async () => {}, parcels: async () => [], setPin: async () => {}, touch: () => {}, lockIfIdle: () => {}, lock: () => {},
    exportUnsent: async () => [{ name: "chua-gui.zip", file: new Blob(["x"]) }],
  };

  function dossierOf(p, n) {
    const editable = ["draft", "none", "returned"].includes(p.dossierState);
    return {
      citizen: p, id: `d-${p.id}`, year: 2026, state: p.dossierState, reason: p.dossierState === "returned" ? "thiếu ảnh chỉ số 5" : p.dossierState === "not_eligible" ? "chỉ số 6 dưới 5 điểm" : "", total: 68, editable, mayAppraise: me.role === "chapter", mayEditSelf: true, waitingReview: false,
      rule: { min_total: 80, min_each: 5 }, missing: [{ code: "score", indicator: 4 }, { code: "evidence", indicator: 8 }, { code: "total" }], chapterNote: n === 4 ? "Tham gia đều, cần thêm ảnh." : "", basis: {},
      indicators: TITLES.map((title, k) => ({ no: k + 1, title, competence: COMPETENCES[k < 4 ? 0 : k < 8 ? 1 : 2], asks: "Biết dùng điện thoại, máy tính cho việc nhà và việc làm; tìm được tin cần thiết.", digital: k === 4, guide: GUIDE, kinds: [], self: p.dossierState === "none" || k === 3 ? null : [8, 7, 9, 0, 8, 4, 7, 8, 9, 8][k], note: k === 6 ? "Ghi chép thu chi của gia đình." : "", chapter: n === 4 ? 8 : null, final: null, held: false, verdict: "", verdictReason: "", photos: photosOf(k, p.dossierState) })),
    };
  }

  function photosOf(k, dossierState) {
    if (dossierState === "none" || ![0, 2, 4].includes(k)) return [];
    const base = { captured_at: "2026-11-24T07:32:00.000Z", source: "camera", bytes: 182000, mine: true, canRemove: true, verdict: "", reason: "", replacedBy: null };
    const shots = [{ ...base, id: `e${k}1`, sha256: "s1", caption: "Nộp hồ sơ dịch vụ công trên điện thoại", status: "received" }, { ...base, id: `e${k}2`, sha256: "s2", caption: "", status: "waiting" }];
    if (k === 2) shots.push({ ...base, id: "e23", sha256: "s3", caption: "Họp thôn", status: "received", verdict: "retake", reason: "ảnh bị mờ, không thấy mặt" });
    if (k === 4) shots.push({ ...base, id: "e43", sha256: "none", caption: "Gọi video cho con ở xa", status: "received", verdict: "accepted" });
    return shots;
  }
}
