global using Iommufd.Messages.Host;
global using Xunit;
