// Parses every card named on the command line with Microsoft's own renderer and prints
// what it complains about. Exit code 1 when it complains about anything.
const fs = require("fs");
const { AdaptiveCard, HostConfig, SerializationContext } = require("adaptivecards/dist/adaptivecards.js");

let faults = 0;
for (const file of process.argv.slice(2)) {
  const payload = JSON.parse(fs.readFileSync(file, "utf8"));
  const context = new SerializationContext();
  const card = new AdaptiveCard();
  card.hostConfig = new HostConfig({ actions: { maxActions: 6 } }); // what Teams shows
  card.parse(payload, context);
  for (let i = 0; i < context.eventCount; i++) {
    console.log(`${file}: parse: ${context.getEventAt(i).message}`);
    faults++;
  }
  for (const failure of card.validateProperties().validationEvents) {
    console.log(`${file}: ${failure.event}: ${failure.message}`);
    faults++;
  }
  if (card.getActionCount() !== (payload.actions || []).length) {
    console.log(`${file}: ${(payload.actions || []).length} actions, the renderer keeps ${card.getActionCount()}`);
    faults++;
  }
}
process.exit(faults ? 1 : 0);
