// In a page of the login: types what is given, and says where to press. Only where secrets may go.
((fields, own) => {
  if (window.iiifAuthCheck > 3 || document.readyState === "loading") return "";
  const forms = [...document.forms];
  const form = forms.find((form) => fields.some(([name]) => form.elements[name])) ||
    forms.find((form) => ![...form.elements].some((one) =>
      /^(text|password|email|search|tel|url|number)$/.test(one.type) || one.type === "textarea"));
  const to = form && form.action ? new URL(form.action, location.href).origin : location.origin;
  const stranger = [location.origin, to].find((origin) => !own.includes(origin));
  if (stranger) return `the login goes on at ${stranger}, which is not the server's own (--own-origin ${stranger})`;
  const known = form && fields.some(([name]) => form.elements[name]);
  if (known) for (const [name, value] of fields) {
    const field = form.elements[name];
    if (field) { field.value = value; field.dispatchEvent(new Event("input", { bubbles: true })); field.dispatchEvent(new Event("change", { bubbles: true })); }
  }
  const pressable = "button:not([type=button]):not([type=reset]), input[type=submit], input[type=image]";
  const button = form ? form.querySelector(pressable) : document.querySelector("button");
  if (!button) return form ? "nothing to press" : "";
  button.scrollIntoView({ block: "center" });
  const box = button.getBoundingClientRect();
  window.iiifAuthCheck = (window.iiifAuthCheck || 0) + 1;
  return `press ${box.x + box.width / 2} ${box.y + box.height / 2}`;
})
