// The API's documentation, drawn by Swagger UI from the OpenAPI document. It is a file of its own because the policy lets no inline script run.
const place = document.getElementById("api-docs");
const dark = matchMedia("(prefers-color-scheme: dark)");

function paint() {
  const theme = document.documentElement.dataset.theme;
  document.documentElement.classList.toggle("dark-mode", theme ? theme === "dark" : dark.matches);
}

document.addEventListener("desk:theme", paint);
paint();

window.SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  presets: [window.SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: -1,
  requestInterceptor(request) {
    if (!["GET", undefined].includes(request.method)) request.headers["X-CSRFToken"] = place.dataset.token;
    return request;
  },
});
