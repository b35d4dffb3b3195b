using Portvakt.Server.Commands;

return await CommandLine.RunAsync(args);
