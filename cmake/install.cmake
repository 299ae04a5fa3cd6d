# Both libraries, the public headers, the program, manual pages, schemas and the pkg-config file.
configure_file(cmake/stwatch.pc.in stwatch.pc @ONLY)
install(TARGETS stwatch_static stwatch_shared stwatch_cli
	RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
	LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
	ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/stwatch DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/stwatch.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(GLOB STWATCH_MAN1 CONFIGURE_DEPENDS man/*.1)
install(FILES ${STWATCH_MAN1} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
file(GLOB STWATCH_SCHEMAS CONFIGURE_DEPENDS docs/schema/*.json)
install(FILES ${STWATCH_SCHEMAS} DESTINATION ${CMAKE_INSTALL_DATADIR}/stwatch/schema)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
