// The behaviour of every page. Modules talk by events on `document`, never by imports of this file:
//   desk:toast       {text, kind: "ok" | "bad" | "warn" | "info"}   shows a message
//   desk:connection  {state: "live" | "polling" | "down", text}     says in words how fresh the page is
//   desk:prices      text                                           takes that text's place while no prices come; empty when they do
//   desk:theme       sent when the theme has changed (charts redraw)
import "./desk/theme.js";
import "./desk/times.js";
import "./desk/feedback.js";
import "./desk/layers.js";
import "./desk/keyboard.js";
import "./desk/tables.js";
