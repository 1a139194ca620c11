// Keys and the photo stage of the staff site. Pages work without it but for zoom and keys.
const typing = (target) => target.matches("input:not([type=hidden]), textarea, select");
let asked = "";

// Enter in the reason gives the verdict that was asked for: a browser would press the form's first button, "Ảnh hợp lệ".
document.addEventListener("keydown", (event) => {
  const box = event.target.closest("[data-reasons]");
  if (event.key !== "Enter" || event.isComposing || !event.target.matches("input[name=reason]") || !box) return;
  event.preventDefault();
  box.querySelector("[data-send]").click();
});

document.addEventListener("keydown", (event) => {
  if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const all = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)];
  const wanted = all.find((element) => element.offsetParent !== null);
  if (!wanted) return;
  event.preventDefault();
  wanted.click();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act], [data-ask], [data-reason]");
  if (!button) return;
  const stage = document.querySelector("[data-stage]");
  if (button.dataset.act === "print") window.print();
  if (button.dataset.act === "zoom") stage.classList.toggle("zoomed");
  if (button.dataset.act === "rotate") rotate(stage);
  if (button.dataset.ask) ask(button);
  if (button.dataset.reason) settle(button);
});

function rotate(stage) {
  const turn = (Number(stage.dataset.turn ?? 0) + 90) % 360;
  stage.classList.remove("r90", "r180", "r270");
  if (turn) stage.classList.add(`r${turn}`);
  stage.dataset.turn = turn;
}

function ask(button) {
  asked = button.dataset.ask;
  const box = document.querySelector("[data-reasons]");
  box.hidden = false;
  box.querySelector("[data-legend]").textContent = `${button.textContent.replace(/\s[RT]$/, "").trim()} – lý do`;
  box.querySelector("[data-send]").value = asked;
  box.querySelector("[data-reason]").focus();
}

function settle(button) {
  const box = button.closest("[data-reasons]");
  box.querySelector("input[name=reason]").value = button.dataset.reason;
  box.querySelector("[data-send]").click();
}
