using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace Iommufd.Cli.Output;

/// <summary>Sends the run's metrics to an OpenTelemetry collector every second, and once more at the end.</summary>
internal sealed class OtlpExport : IDisposable
{
    private const int EveryMilliseconds = 1000;

    private readonly MeterProvider _provider;

    private OtlpExport(MeterProvider provider) => _provider = provider;

    /// <summary>Begins to export; null when nothing is asked for.</summary>
    /// <exception cref="BadInputException">It is no address.</exception>
    public static OtlpExport? Start(string? address)
    {
        if (address is null)
        {
            return null;
        }

        if (!Uri.TryCreate(address, UriKind.Absolute, out Uri? endpoint) || endpoint.Scheme is not ("http" or "https"))
        {
            throw new BadInputException(
                "--otlp",
                $"'{address}' is not the address of a collector such as http://localhost:4317"
            );
        }

        MeterProvider provider = Sdk.CreateMeterProviderBuilder()
            .AddMeter("Iommufd")
            .AddOtlpExporter(
                (exporter, reader) =>
                {
                    exporter.Endpoint = endpoint;
                    reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = EveryMilliseconds;
                }
            )
            .Build();
        return new OtlpExport(provider);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _provider.ForceFlush(EveryMilliseconds * 5);
        _provider.Dispose();
    }
}
