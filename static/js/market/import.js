// The import form: it reads the file's name, shows the real progress of the upload, and keeps the file after a refusal.
const get = (id) => document.getElementById(id);
let kept = null;
let sent = null;

function sizeText(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function describe(input) {
  const file = input.files[0];
  get("file-name").textContent = file ? file.name : "Drop a file here, or choose one";
  get("file-size").textContent = file ? sizeText(file.size) : "CSV, CSV.gz, Parquet, Feather";
  const most = Number(input.form.dataset.mostBytes);
  input.setCustomValidity(file && most && file.size > most ? `The file has ${sizeText(file.size)}; at most ${sizeText(most)} are taken.` : "");
  if (file) input.reportValidity();
}

async function guess(input) {
  const file = input.files[0];
  if (!file) return;
  const address = new URL(input.form.dataset.guess, location.href);
  address.searchParams.set("filename", file.name);
  const answer = await fetch(address, { headers: { "HX-Request": "true" } });
  if (!answer.ok) return;
  for (const [name, value] of Object.entries(await answer.json())) {
    const field = get(`id_${name}`);
    if (field && (!field.value || field.dataset.guessed === field.value)) {
      field.value = value;
      field.dataset.guessed = value;
    }
  }
}

document.addEventListener("change", (event) => {
  if (event.target.id !== "id_file") return;
  describe(event.target);
  guess(event.target);
});

for (const [name, over] of [["dragenter", true], ["dragover", true], ["dragleave", false], ["drop", false]]) {
  document.addEventListener(name, (event) => event.target.closest?.(".drop")?.classList.toggle("over", over));
}

function progress(share) {
  const bar = get("upload-bar");
  get("upload").hidden = share === null;
  if (share === null) return;
  const over = share >= 1;
  get("upload-words").textContent = over ? "Arriving" : "Sending";
  get("upload-share").textContent = over ? "" : `${Math.floor(share * 100)} %`;
  if (over) bar.removeAttribute("value");
  else bar.value = share * 100;
}

// Once a file is taken the form stays, and the errors of the last file go.
function forgive() {
  for (const field of document.querySelectorAll("#import-form [aria-invalid]")) field.removeAttribute("aria-invalid");
  for (const words of document.querySelectorAll("#import-form .errors, #import-form .note.bad")) words.remove();
}

// The form is emptied when its file is imported, unless another one was chosen meanwhile.
function clear() {
  const input = get("id_file");
  if (!sent || input?.files[0] !== sent) return;
  sent = null;
  input.form.reset();
  // The fields still hold what the last file needed. The next file's name may say otherwise.
  for (const name of ["venue", "symbol", "interval"]) get(`id_${name}`).dataset.guessed = get(`id_${name}`).value;
  describe(input);
}

const ours = (event) => event.target.id === "import-form";

document.addEventListener("htmx:beforeSend", (event) => {
  if (!ours(event)) return;
  sent = get("id_file").files[0] ?? null;
  get("report").replaceChildren();
  progress(0);
});
document.addEventListener("htmx:xhr:progress", (event) => {
  if (ours(event) && event.detail.lengthComputable && !get("upload").hidden) progress(event.detail.loaded / event.detail.total);
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (ours(event)) kept = event.detail.xhr.status === 422 ? (get("id_file")?.files ?? null) : null;
});
document.addEventListener("htmx:afterSwap", () => {
  const input = get("id_file");
  if (kept?.length && input && !input.files.length) {
    input.files = kept;
    describe(input);
    document.querySelector("#import-form [aria-invalid='true']")?.focus();
  }
  kept = null;
  if (document.querySelector("#report [data-import='completed']")) clear();
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (!get("upload") || !ours(event)) return;
  progress(null);
  if (event.detail.xhr?.status === 200) forgive();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-again]")) return;
  document.querySelector("[name=skip_bad_rows]").checked = true;
  get("import-form").requestSubmit();
});
