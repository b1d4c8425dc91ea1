// Reads a workbook with somebody else's reader. Reads {file} and prints {sheets: {name:
// [texts]}, formulas: [where]}.
const fs = require("fs");
const ExcelJS = require("exceljs");

(async () => {
  const { file } = JSON.parse(fs.readFileSync(0, "utf8"));
  const book = new ExcelJS.Workbook();
  await book.xlsx.readFile(file);
  const sheets = {}, formulas = [];
  book.eachSheet((sheet) => {
    sheets[sheet.name] = [];
    sheet.eachRow((row) => row.eachCell((cell) => {
      if (cell.type === ExcelJS.ValueType.Formula || cell.formula || cell.hyperlink) formulas.push(`${sheet.name}!${cell.address}`);
      sheets[sheet.name].push(cell.text);
    }));
  });
  process.stdout.write(JSON.stringify({ sheets, formulas }));
})().catch((e) => { console.error(e); process.exit(1); });
